package batches

import (
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
)

// APIVersion is the version of the format, in every leaf.
const APIVersion = "batchctl/v1"

// The schemas of whole files. What stands under spec and vars is checked when
// layers have been merged: only then is it complete.

var settingsSchema = object("Settings of a tree: the file batchctl.yaml in its top directory.",
	is("apiVersion", enum("Version of the format.", APIVersion)).must(),
	is("description", text("What the tree is for.", "")),
	is("jenkins", jenkinsSchema),
	is("pools", list("The pools that there are; with it, a batch that names another one is an error.", name("A pool.", "standard"))),
)

var jenkinsSchema = object("Where the jobs live.",
	is("root", formatted("An existing folder of Jenkins, in which the folders of the clusters are made; it belongs to you and is never rendered.", "folder", "", "batches", checkFolder)).orElse("the top of the controller"),
	is("controller", name("The controller that runs the jobs; a seed job on each controller renders its own.", "main")).orElse("main"),
)

// layerSchemas are the schemas of the layers' files.
var layerSchemas = map[Layer]*schema{
	Global: layerSchema(Global), Cluster: layerSchema(Cluster), Phase: layerSchema(Phase),
	AppType: layerSchema(AppType), AppGroup: layerSchema(AppGroup),
}

func layerSchema(layer Layer) *schema {
	fields := []field{
		is("apiVersion", enum("Version of the format.", APIVersion)),
		is("description", text("What the layer is for.", "")),
	}
	metadata := []field{is("owner", oneLine("The team that answers for the batches.", "settlement-team"))}
	switch layer {
	case Cluster:
		fields = append(fields,
			is("phase", name("The phase that the cluster is in. A batch for other phases cannot land on it.", "live")).must(),
			is("jenkins", jenkinsSchema),
			is("permissions", permissionsSchema))
	case AppGroup:
		fields = append(fields, is("permissions", permissionsSchema))
	}
	if layer != Cluster && layer != Phase {
		// Where a batch goes decides which clusters and phases it inherits
		// from, so these two cannot decide where it goes.
		fields = append(fields, is("deploy", deploySchema))
		metadata = append(metadata, is("phases", phasesSchema))
		if layer != AppType {
			metadata = append(metadata, is("type", typeSchema))
		}
	}
	meta := object("What the layer says of the batches themselves.", metadata...)
	return object("A layer: what all batches inherit that it applies to.", append(fields,
		is("metadata", meta),
		is("vars", varsSchema),
		is("spec", anyMap("What every kind of document inherits.")),
		is("kinds", kindsSchema(ownerSchema)),
		is("overrides", overridesSchema(ownerSchema)),
	)...)
}

func leafSchema(k *leafKind) *schema {
	meta := object("What the document is about.",
		is("name", name("Its name, which is also the name of its file.", "daily-settlement")).must(),
		is("owner", oneLine("The team that answers for it.", "settlement-team")),
		is("description", text("What it does, for people.", "Settles yesterday's payments")),
		is("type", typeSchema).orElse(k.defaultType()),
		is("phases", phasesSchema),
	)
	return object(k.doc,
		is("apiVersion", enum("Version of the format.", APIVersion)).must(),
		is("kind", enum("The kind of document.", k.name)).must(),
		is("metadata", meta).must(),
		is("deploy", deploySchema),
		is("vars", varsSchema),
		is("spec", anyMap("What the document says.")),
		is("overrides", overridesSchema(ownerSchema)),
	)
}

var (
	typeSchema   = name("The app type, whose layer it inherits.", "batch")
	phasesSchema = oneOrMore("The phases that it is for; it can land on no other.", name("A phase.", "live"))
	deploySchema = oneOrMore("The clusters that it goes to, by name or glob.", globSchema)
	varsSchema   = table("Variables, for {{NAME}} in any string.", checkVarName,
		&schema{kinds: kinds(stringKind, intKind, floatKind, boolKind), doc: "A value.", example: "512m"})
	permissionsSchema = list("Who may do what in the folder, besides what it inherits.", object("An entry of the folder's authorization matrix.",
		is("user", oneLine("A user.", "dev")),
		is("group", oneLine("A group; give this or user.", "developers")),
		is("allow", list("Jenkins permissions.", formatted("A permission.", "permission", "", "Job/Read", checkPermission))).must(),
	))
)

// ownerSchema is the metadata that can differ from job to job. Type and
// phases decide where a document goes, before kinds and overrides are looked
// at.
var ownerSchema = object("Metadata that can differ from job to job.", is("owner", oneLine("The team that answers for it.", "settlement-team")))

func kindsSchema(meta *schema) *schema {
	var fields []field
	for _, k := range leafKinds {
		fields = append(fields, is(k.name, partSchema("What documents of this kind alone inherit.", meta)))
	}
	return object("What documents of one kind inherit, on top of the rest.", fields...)
}

func partSchema(doc string, meta *schema) *schema {
	return object(doc, is("metadata", meta), is("vars", varsSchema), is("spec", anyMap("As under spec.")))
}

func overridesSchema(meta *schema) *schema {
	return list("Changes for some jobs, made after all layers; a later one wins.", object("An override.",
		is("when", whenSchema).must(),
		is("set", partSchema("What changes.", meta)).must(),
		is("description", text("Why.", "")),
	))
}

// checkVarName keeps variables apart from built-ins and fields.
func checkVarName(s string) error {
	if !isEnvName(s) {
		return fmt.Errorf("%q is no name of a variable; it takes letters, digits and _, and begins with no digit", s)
	}
	for _, b := range builtins {
		if s == b {
			return fmt.Errorf("%s is built in and cannot be set; choose another name", s)
		}
	}
	return nil
}

func checkGlob(s string) error {
	if len(s) > maxGlob {
		return fmt.Errorf("this glob is longer than %d characters", maxGlob)
	}
	if s == "" || !doublestar.ValidatePattern(s) {
		return fmt.Errorf("%q is no name and no glob", s)
	}
	return nil
}

func checkFolder(s string) error {
	for _, r := range s {
		if r < ' ' || r == '\\' || r == '?' || r == '*' || r == '%' || r == '<' || r == '>' || r == '|' {
			return fmt.Errorf("%q is no folder of Jenkins", s)
		}
	}
	if s == "" || s[0] == '/' || s[len(s)-1] == '/' {
		return fmt.Errorf("%q is no folder of Jenkins; write it as a/b, without slashes at the ends", s)
	}
	return nil
}

func checkPermission(s string) error {
	for _, p := range permissions {
		if s == p {
			return nil
		}
	}
	if near := nearest(s, slices.Values(permissions)); near != "" {
		return fmt.Errorf("%q is no permission of a folder; did you mean %s?", s, near)
	}
	return fmt.Errorf("%q is no permission of a folder; write one such as Job/Read", s)
}

// permissions are those that matrix-auth offers on a folder.
var permissions = []string{
	"Credentials/Create", "Credentials/Delete", "Credentials/ManageDomains", "Credentials/Update", "Credentials/View",
	"Job/Build", "Job/Cancel", "Job/Configure", "Job/Create", "Job/Delete", "Job/Discover", "Job/ExtendedRead", "Job/Move", "Job/Read", "Job/Workspace",
	"Run/Artifacts", "Run/Delete", "Run/Replay", "Run/Update", "SCM/Tag",
	"View/Configure", "View/Create", "View/Delete", "View/Read",
}

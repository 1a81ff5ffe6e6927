package batches

// migrationSchema is the schema of a file of batchctl migrate apply.
var migrationSchema = object("A change of many jobs: steps that batchctl migrate apply makes one after the other.",
	is("apiVersion", enum("Version of the format.", APIVersion)).must(),
	is("kind", enum("The kind of document.", "Migration")).must(),
	is("description", text("What it is for; the overrides that it needs carry it.", "Close CVE-2026-0001")),
	is("steps", list("What is changed.", stepSchema(
		is("select", list("Only jobs whose path matches one of these globs; one behind ! takes away. Without it, what --select says.", oneLine("A glob.", `"live-*/**"`))),
		is("percent", integer("Only this share of them, always the same jobs. Without it, what --percent says.", 1, 100, "10")),
		is("reason", text("What the step is for, where that is more than the description of the whole.", "")),
	))).must(),
)

// stepSchema is a change, with more fields before it. That it is just one is
// for its reader to check.
func stepSchema(before ...field) *schema {
	option := func(doc, example string) *schema { return oneLine(doc, example) }
	return object("A step: one of the changes below.", append(before,
		is("set", &schema{kinds: kinds(mapKind), doc: "Fields by their paths, such as spec.node.pool, and the values that they get.", values: &schema{
			kinds: kinds(boolKind, intKind, floatKind, stringKind, listKind), doc: "The value.", items: &schema{kinds: kinds(boolKind, intKind, floatKind, stringKind), doc: "An item."}}}),
		is("unset", oneLine("The path of a field that loses its value.", "spec.retry")),
		is("add-option", option("An option of the JVM that every job gets that lacks it.", "-XX:+ExitOnOutOfMemoryError")),
		is("remove-option", option("The name of an option that is taken away, with any value.", "-XX:MaxPermSize")),
		is("rename-option", object("An option that gets another name and keeps its value.",
			is("from", option("The old name.", "-XX:InitialRAMFraction")).must(),
			is("to", option("The new one.", "-XX:InitialRAMPercentage")).must())),
		is("replace-value", object("A value, or an item of a list, that is changed where it is a certain one.",
			is("path", oneLine("The path of the field.", "spec.timeout")).must(),
			is("from", oneScalar("The old value, as written or as it is for the job.", "1h")).must(),
			is("to", oneScalar("The new one.", "90m")).must())),
		is("jvm", object("Jobs that move to another Java release, with their options.",
			is("from", integer("Their release: 11, 17 or 21.", 11, 21, "11")).must(),
			is("to", integer("The later one: 17, 21 or 25.", 17, 25, "21")).must(),
			is("opens", table("Options that open modules to single jobs, as the logs of --evidence asked for them.", nil,
				list("The options of the job.", oneLine("An option.", "--add-opens=java.base/java.lang=ALL-UNNAMED")))))),
	)...)
}

// oneScalar is a single value of any type.
func oneScalar(doc, example string) *schema {
	return &schema{kinds: kinds(boolKind, intKind, floatKind, stringKind), doc: doc, example: example}
}

// ParseMigration parses and checks a file of batchctl migrate apply. With an
// error among the problems the value is not to be used.
func ParseMigration(name string, text []byte) (Value, []Problem) {
	var ps problems
	v := parse(&File{Path: name}, text, &ps)
	if v == nil {
		return Value{}, ps
	}
	c := checker{root: migrationSchema, ps: &ps}
	c.value(migrationSchema, v, newPath())
	refuseNulls(v, newPath(), &ps)
	return Value{v}, mergeProblems(ps, nil)
}

// refuseNulls reports what is null: in a layer that takes a value away, and here
// it would be passed over.
func refuseNulls(v *value, p *fieldPath, ps *problems) {
	for i := range v.kids {
		e := &v.kids[i]
		at := p.entry(e, i)
		if e.val.kind == nullKind {
			ps.at(e.val, at.String(), "wrong-type", "this is null", "to take a value away, write a step with unset")
		}
		refuseNulls(e.val, at, ps)
	}
}

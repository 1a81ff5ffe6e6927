package main

//go:generate sh -c "go run . schema --reference >../../docs/provisioner-reference.md"

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/internal/strictyaml"
)

// referenceHead is what the reference begins with.
const referenceHead = "# Reference of the provisioner's configuration\n\n" +
	"Made from the struct that `provisioner check` reads it into (`provisioner schema --reference`). Do not edit.\n\n" +
	"An unknown key, a value of another type or a name that is not there is an error, with file, line and column. " +
	"Durations are written as `30s`, `10m`, `2h`, sizes as `512Mi`, `16Gi`. " +
	"A relative path begins at the directory of the configuration's file. " +
	"The keys of a driver are known only where `driver` names it.\n\n"

func schemaCommand(io *streams) *cobra.Command {
	var reference bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Long: `Schema prints the JSON Schema of the configuration. An editor with the YAML
language server finds it by a line such as
  # yaml-language-server: $schema=provisioner.schema.json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if reference {
				_, err := fmt.Fprint(io.out, referenceHead, strictyaml.Reference(Config{}))
				return err
			}
			schema := strictyaml.JSONSchema(Config{})
			schema["title"] = "provisioner configuration"
			text, err := json.MarshalIndent(schema, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(io.out, string(text))
			return err
		},
	}
	cmd.Flags().BoolVar(&reference, "reference", false, "print the reference of all keys, in Markdown")
	return cmd
}

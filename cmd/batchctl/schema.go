package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

func (a *app) schemaCommand() *cobra.Command {
	var out string
	var reference bool
	cmd := &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON Schema of a kind of file, for editors",
		Long: `Schema prints the JSON Schema of one kind of file of a tree; without a KIND,
that of a batch. An editor with the YAML language server finds it by a line
such as
  # yaml-language-server: $schema=../../.batchctl/batch.schema.json
With --out it writes the schemas of all kinds; batchctl init did so for you.`,
		Args:      needArgs(0, 1, "one kind of file at the most"),
		ValidArgs: batches.SchemaNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case reference:
				return batches.WriteReference(a.stdout)
			case out != "":
				return writeSchemas(out)
			}
			kind := "batch"
			if len(args) == 1 {
				kind = args[0]
			}
			text, err := schemaText(kind)
			if err != nil {
				return usagef("%w", err)
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write KIND.schema.json for all kinds into this directory")
	cmd.Flags().BoolVar(&reference, "reference", false, "print the reference of all fields, in Markdown")
	return cmd
}

func schemaText(kind string) ([]byte, error) {
	schema, err := batches.JSONSchema(kind)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	return append(text, '\n'), err
}

// writeSchemas writes the schemas of all kinds of file.
func writeSchemas(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, kind := range batches.SchemaNames() {
		text, err := schemaText(kind)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, kind+".schema.json"), text); err != nil {
			return err
		}
	}
	return nil
}

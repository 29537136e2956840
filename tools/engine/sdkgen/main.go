// Command sdkgen writes the SDK of a package for one language from its schema, as a language host of a Pulumi release
// does: `sdkgen nodejs schema.json FOLDER`. It is built where there is no release.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	gocode "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// alone loads no other package: the schema refers to none.
type alone struct{ schema.ReferenceLoader }

func main() {
	if err := generate(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(language, path, folder string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	pkg, diagnostics, err := schema.BindSpec(spec, alone{}, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if diagnostics.HasErrors() {
		return diagnostics
	}
	files, err := sources(language, pkg)
	if err != nil {
		return err
	}
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func sources(language string, pkg *schema.Package) (map[string][]byte, error) {
	switch language {
	case "nodejs":
		return nodejs.GeneratePackage("sdkgen", pkg, nil, nil, false, alone{})
	case "go":
		return gocode.GeneratePackage("sdkgen", pkg, nil)
	case "python":
		return python.GeneratePackage("sdkgen", pkg, nil, alone{})
	}
	return nil, fmt.Errorf("no such language: %s", language)
}

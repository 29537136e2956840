//go:build tools

// Package tools pins what the YAML language host is built from where no Pulumi release brings it.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"

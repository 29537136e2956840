//go:build tools

// Package tools pins what the Pulumi command line is built from where its releases cannot be downloaded.
package tools

import (
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	// What programs in Go need: the tests compile one.
	_ "github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	_ "github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Package s3 stands for AWS' client of the same name: what Pulumi's file backend names of it, and never gets.
package s3

// CopyObjectInput is a copy that a bucket in S3 is about to make.
type CopyObjectInput struct {
	CopySource *string
}

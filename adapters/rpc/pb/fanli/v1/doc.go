// Package pb is made from the protos of package rpc by `make proto`: what travels
// between targets. Nothing outside of package rpc uses it.
package pb

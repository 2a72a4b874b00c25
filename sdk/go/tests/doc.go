// Package bellwethertests has the tests of the SDK as a plugin's author sees it, from outside: `go test ./...` in this folder.
package bellwethertests

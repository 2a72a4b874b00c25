// Package guest is what every exported function shares, whatever the kind: who the plugin is, and what becomes of a panic.
package guest

import (
	"encoding/json"
	"runtime/debug"

	"bellwether"
	"bellwether/log"
)

var registered *bellwether.Info

// Introduce keeps what the program's one plugin says of itself.
func Introduce(info bellwether.Info) {
	if registered != nil {
		panic("Register was called twice: a program is one plugin of one kind")
	}
	registered = &info
}

// Report sends the message of a panic to the host's log and lets it go on to the trap it becomes. On WebAssembly the host
// would else only know that there was one. Deferred by every exported function.
func Report() {
	if fault := recover(); fault != nil {
		log.Error("panic: %v\n%s", fault, debug.Stack())
		panic(fault)
	}
}

// Object is a value as the JSON object the contract asks for; nil is an empty one. Text is taken for JSON already.
func Object(detail any) (string, error) {
	switch detail := detail.(type) {
	case nil:
		return "{}", nil
	case json.RawMessage:
		return string(detail), nil
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return "", bellwether.Internal("the detail is no JSON: %v", err)
	}
	return string(text), nil
}

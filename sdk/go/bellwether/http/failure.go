package http

import "bellwether"

// Kind is whether another try may help when no answer came.
type Kind uint8

const (
	// Unreachable: no connection, or it broke, or time ran out. Another try may succeed.
	Unreachable Kind = iota
	// Refused: the host or its rules refuse the request: the origin is not granted, or leads to a forbidden address.
	Refused
	// Broken: the exchange went wrong in a way that stays: a certificate, the protocol, a message that cannot be sent.
	Broken
)

// Failure is a request without an answer. A receiver of hosttest may return one.
type Failure struct {
	// Kind is whether another try may help.
	Kind Kind
	// Message is what happened.
	Message string
}

// Error gives the message.
func (f *Failure) Error() string { return f.Message }

// in is the plugin's error for it.
func (f *Failure) in(target target) error {
	switch f.Kind {
	case Unreachable:
		return bellwether.Transient("%s: %s", target.origin(), f.Message)
	case Refused:
		return bellwether.InvalidConfig("%s: %s (has the operator granted this origin?)", target.origin(), f.Message)
	default:
		return bellwether.Errorf("http-failed", "%s: %s", target.origin(), f.Message)
	}
}

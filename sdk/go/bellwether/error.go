package bellwether

import (
	"errors"
	"fmt"
)

// Code says which of the contract's errors an [Error] is. The host retries only [Transient].
type Code string

const (
	// CodeInvalidConfig: the configuration passed the schema and is still wrong.
	CodeInvalidConfig Code = "invalid-config"
	// CodeInvalidInput: the data cannot be used: too few rows, a constant column, a foreign state.
	CodeInvalidInput Code = "invalid-input"
	// CodeUnsupported: the request is well formed but this plugin does not do it.
	CodeUnsupported Code = "unsupported"
	// CodeTransient: another try may succeed.
	CodeTransient Code = "transient"
	// CodeInternal: the plugin found itself broken.
	CodeInternal Code = "internal"
)

// Error is what a plugin answers when it cannot do what it was asked. Any other error that reaches the host becomes
// [CodeInternal] with its text. A code that is none of the constants crosses as the contract's `other`.
type Error struct {
	// Code is the kind of error.
	Code Code
	// Message is shown to a person: what was wrong and what would be right.
	Message string
}

// Error gives code and message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes errors.Is compare codes: errors.Is(err, &Error{Code: CodeTransient}).
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code && (other.Message == "" || other.Message == e.Message)
}

// InvalidConfig is an error for a configuration that passed the schema and is still wrong.
func InvalidConfig(format string, arguments ...any) error {
	return Errorf(CodeInvalidConfig, format, arguments...)
}

// InvalidInput is an error for data that cannot be used.
func InvalidInput(format string, arguments ...any) error {
	return Errorf(CodeInvalidInput, format, arguments...)
}

// Unsupported is an error for a request this plugin does not serve.
func Unsupported(format string, arguments ...any) error {
	return Errorf(CodeUnsupported, format, arguments...)
}

// Transient is an error another try may cure; the host retries only these.
func Transient(format string, arguments ...any) error {
	return Errorf(CodeTransient, format, arguments...)
}

// Internal is an error for a plugin that found itself broken.
func Internal(format string, arguments ...any) error {
	return Errorf(CodeInternal, format, arguments...)
}

// Errorf is an error of any code, also one of the plugin's own.
func Errorf(code Code, format string, arguments ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...)}
}

// CodeOf is the code an error reaches the host with.
func CodeOf(err error) Code {
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Code
	}
	return CodeInternal
}

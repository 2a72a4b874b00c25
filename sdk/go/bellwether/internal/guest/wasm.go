//go:build wasip1

package guest

import (
	"errors"
	"strings"

	"bellwether"
	"bellwether/internal/abi/types"
	export "bellwether/internal/wit/exports/export_bellwether_types_plugin"
	_ "bellwether/internal/wit/exports/plugin"
	"bellwether/internal/wit/imports/bellwether_types_common"
	wire "bellwether/internal/wit/imports/bellwether_types_plugin"
)

func init() {
	export.Describe = func() wire.Description {
		defer Report()
		if registered == nil {
			panic("no plugin is registered: call Register from init, for main does not run")
		}
		return wire.Description{
			Name:         registered.Name,
			Version:      registered.Version,
			Summary:      registered.Summary,
			ConfigSchema: registered.ConfigSchema(),
		}
	}
}

// Error is the contract's error.
type Error = bellwether_types_common.Error

// Answer is a value or an error as the contract's result.
func Answer[T any](value T, err error) types.Result[T, Error] {
	if err != nil {
		return types.Err[T, Error](wireError(err))
	}
	return types.Ok[T, Error](value)
}

func wireError(err error) Error {
	own, ok := errors.AsType[*bellwether.Error](err)
	if !ok {
		return bellwether_types_common.MakeErrorInternal(err.Error())
	}
	// The text of what wraps the error stays, for it says where; the code in the middle of it goes, for it is sent apart.
	message := strings.Replace(err.Error(), own.Error(), own.Message, 1)
	switch own.Code {
	case bellwether.CodeInvalidConfig:
		return bellwether_types_common.MakeErrorInvalidConfig(message)
	case bellwether.CodeInvalidInput:
		return bellwether_types_common.MakeErrorInvalidInput(message)
	case bellwether.CodeUnsupported:
		return bellwether_types_common.MakeErrorUnsupported(message)
	case bellwether.CodeTransient:
		return bellwether_types_common.MakeErrorTransient(message)
	case bellwether.CodeInternal:
		return bellwether_types_common.MakeErrorInternal(message)
	default:
		return bellwether_types_common.MakeErrorOther(types.Tuple2[string, string]{F0: string(own.Code), F1: message})
	}
}

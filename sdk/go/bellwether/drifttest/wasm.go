//go:build wasip1

package drifttest

// The world's exports: from the bindings' records to this package's and back.

import (
	"bellwether/data"
	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	_ "bellwether/internal/wit/exports/drift_test"
	export "bellwether/internal/wit/exports/export_bellwether_drift_test"
	wire "bellwether/internal/wit/imports/bellwether_drift_test"
	host "bellwether/internal/wit/imports/bellwether_host_data"
)

func init() {
	export.Accepts = accepts
	export.Baseline = baseline
	export.Test = test
}

func accepts() wire.Acceptance {
	defer guest.Report()
	accepted := called.accepts()
	scope := wire.Scope_Univariate
	if accepted.Multivariate {
		scope = wire.Scope_Multivariate
	}
	kinds := make([]host.ColumnKind, len(accepted.Kinds))
	for place, kind := range accepted.Kinds {
		kinds[place] = host.ColumnKind(kind)
	}
	return wire.Acceptance{Scope: scope, Kinds: kinds, LeastRows: accepted.LeastRows}
}

func baseline(reference *host.Frame, config string) types.Result[[]byte, guest.Error] {
	defer guest.Report()
	frame, drop := data.Lend(reference)
	defer drop()
	return guest.Answer(called.baseline(frame, config))
}

func test(baseline []byte, current *host.Frame, config string) types.Result[wire.Outcome, guest.Error] {
	defer guest.Report()
	frame, drop := data.Lend(current)
	defer drop()
	return guest.Answer(outcome(called.test(baseline, frame, config)))
}

func outcome(found Outcome, err error) (wire.Outcome, error) {
	if err != nil {
		return wire.Outcome{}, err
	}
	detail, err := guest.Object(found.Detail)
	return wire.Outcome{
		Statistic:      found.Statistic,
		PValue:         types.Of(found.PValue),
		Score:          found.Score,
		Threshold:      found.Threshold,
		Drifted:        found.Drifted,
		ReferenceCount: found.ReferenceCount,
		CurrentCount:   found.CurrentCount,
		Detail:         detail,
	}, err
}

package main

import "bellwether/state"

// stage is what was asked for last.
type stage uint64

const (
	// begun: nothing yet.
	begun stage = iota
	// checked: the first health check.
	checked
	// moved: a share of traffic.
	moved
	// measured: an analysis at that share.
	measured
	// waiting: a pause until a window opens.
	waiting
	// rechecked: the health check after a pause.
	rechecked
)

// progress is how far a rollout has come: the strategy's whole state.
type progress struct {
	stage stage
	// shares is how many shares were taken.
	shares int
	// since is when the candidate was ready to be promoted, milliseconds since 1970.
	since int64
}

// at is the state to keep when this is asked for next.
func (p progress) at(next stage) []byte {
	return state.NewWriter(info.Name, 1).Uint64(uint64(next)).Uint64(uint64(p.shares)).Uint64(uint64(p.since)).Finish()
}

// readProgress checks what comes back: it may be another strategy's, or of a configuration with more shares.
func readProgress(bytes []byte, config Config) (progress, error) {
	if len(bytes) == 0 {
		return progress{}, nil
	}
	reader := state.Open(bytes, info.Name, 1)
	found, shares, since := reader.Uint64(), reader.Uint64(), reader.Uint64()
	if found == uint64(begun) || found > uint64(rechecked) {
		reader.Refuse("it has no stage %d", found)
	}
	if shares > uint64(len(config.Shares)) || shares == 0 && (found == uint64(moved) || found == uint64(measured)) {
		reader.Refuse("%d shares were taken of %d", shares, len(config.Shares))
	}
	return progress{stage(found), int(shares), int64(since)}, reader.Finish()
}

// Package progress is how a long fit tells the host where it is.
package progress

// Report says that done of total steps are finished, with the losses so far (NaN when there is none). False: return what
// you have now, for the job was cancelled or its time is up. Natively true unless hosttest says otherwise.
func Report(done, total uint32, trainLoss, validationLoss float64) bool {
	return report(done, total, trainLoss, validationLoss)
}

//go:build wasip1

package progress

import host "bellwether/internal/wit/imports/bellwether_host_progress"

func report(done, total uint32, trainLoss, validationLoss float64) bool {
	return host.Report(done, total, trainLoss, validationLoss) == host.Wish_Proceed
}

package judge

import (
	"fmt"
	"math"
)

// worst finds the job whose failures after are the least likely, among those
// that never failed before. p is the probability that any of the jobs fails so
// often by accident, where each build fails as often as builds did before at the
// most: the binomial tail, times the number of jobs (O. J. Dunn, J. Am. Stat.
// Assoc. 56, 1961). words say what it is; "" where there is none.
func worst(j *Judgement, before, after map[string][]Build) (words string, p float64) {
	share := Upper(j.Before)
	p = 1
	for _, f := range j.Failing {
		was := len(before[f.Job])
		if was < least {
			continue
		}
		accident := math.Min(1, Tail(f.Failures, f.Builds, share)*float64(len(after)))
		if accident < p {
			p = accident
			words = fmt.Sprintf("%s: %d of %d builds failed after the change, 0 of %d before (p = %.3g, binomial, for any of %d jobs)", f.Job, f.Failures, f.Builds, was, p, len(after))
		}
	}
	return words, p
}

// Tail is the probability that k or more of n builds fail if each fails with
// probability share.
func Tail(k, n int, share float64) float64 {
	switch {
	case k <= 0 || share >= 1:
		return 1
	case share <= 0:
		return 0
	}
	p := 0.0
	for i := k; i <= n; i++ {
		p += math.Exp(choose(n, i) + float64(i)*math.Log(share) + float64(n-i)*math.Log1p(-share))
	}
	return math.Min(1, p)
}

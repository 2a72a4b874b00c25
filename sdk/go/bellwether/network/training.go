package network

// Loss is what training makes small, averaged over the batch: one of the types below.
type Loss interface{ loss() }

type (
	// MSE is squared error.
	MSE struct{}
	// MAE is absolute error.
	MAE struct{}
	// Huber is quadratic within ±Delta, linear beyond (Huber 1964).
	Huber struct{ Delta float64 }
	// Quantile is pinball loss at each probability in (0, 1); the output has one feature per probability.
	Quantile struct{ Probabilities []float64 }
	// GaussianNLL is the negative log-likelihood of a normal; the output has two features, mean and log-variance.
	GaussianNLL struct{}
	// BCE is binary cross-entropy of a logit against 0 or 1.
	BCE struct{}
	// CrossEntropy is cross-entropy of logits against a class number, with a weight per class (empty: equal).
	CrossEntropy struct{ Weights []float64 }
)

func (MSE) loss()          {}
func (MAE) loss()          {}
func (Huber) loss()        {}
func (Quantile) loss()     {}
func (GaussianNLL) loss()  {}
func (BCE) loss()          {}
func (CrossEntropy) loss() {}

// Optimizer is how gradients become steps: SGD, Adam or AdamW.
type Optimizer interface{ optimizer() }

type (
	// SGD is stochastic gradient descent.
	SGD struct {
		// Momentum is in [0, 1).
		Momentum float64
		// Nesterov looks ahead (Nesterov 1983).
		Nesterov bool
		// WeightDecay is an L2 penalty added to the gradient.
		WeightDecay float64
	}
	// Adam is Kingma and Ba 2015, with weight decay as an L2 penalty in the gradient.
	Adam struct {
		// Beta1 is the decay of the mean of gradients, in [0, 1).
		Beta1 float64
		// Beta2 is the decay of the mean of squares, in [0, 1).
		Beta2 float64
		// Epsilon is added to the root.
		Epsilon float64
		// WeightDecay is the penalty.
		WeightDecay float64
	}
	// AdamW is Loshchilov and Hutter 2019: weight decay apart from the gradient.
	AdamW Adam
)

func (SGD) optimizer()   {}
func (Adam) optimizer()  {}
func (AdamW) optimizer() {}

// DefaultAdam has the usual numbers.
var DefaultAdam = Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}

// Schedule is the learning rate over the steps of training; nil is the same throughout.
type Schedule interface{ schedule() }

type (
	// Decay multiplies by Factor every Epochs epochs.
	Decay struct {
		Epochs uint32
		Factor float64
	}
	// Cosine is half a cosine down to this share of the start.
	Cosine struct{ Floor float64 }
	// WarmUp is linear from zero over this many steps, then constant.
	WarmUp struct{ Steps uint32 }
	// OneCycle goes up to the learning rate and down again (Smith 2018): the share of steps spent rising.
	OneCycle struct{ Rise float64 }
	// ReduceOnPlateau multiplies by Factor after Patience epochs without a better validation loss.
	ReduceOnPlateau struct {
		Patience uint32
		Factor   float64
	}
)

func (Decay) schedule()           {}
func (Cosine) schedule()          {}
func (WarmUp) schedule()          {}
func (OneCycle) schedule()        {}
func (ReduceOnPlateau) schedule() {}

// EarlyStopping is when to stop before the last epoch.
type EarlyStopping struct {
	// Patience is epochs without improvement to wait.
	Patience uint32
	// MinDelta is the least fall of the validation loss that counts as improvement.
	MinDelta float64
	// RestoreBest returns the weights of the best epoch, not the last.
	RestoreBest bool
}

// Training is how the network is trained unless the job says otherwise.
type Training struct {
	// Epochs is most passes over the data, at least 1.
	Epochs uint32
	// BatchSize is samples per step, at least 1.
	BatchSize uint32
	// LearningRate is the step size, above 0.
	LearningRate float64
	// Optimizer is how gradients become steps.
	Optimizer Optimizer
	// Schedule is the learning rate over time; nil for constant.
	Schedule Schedule
	// ClipNorm is the most Euclidean norm of all gradients together; 0 for no limit.
	ClipNorm float64
	// EarlyStopping is when to stop early; nil for never.
	EarlyStopping *EarlyStopping
}

// DefaultTraining has Keras's numbers (Adam, learning rate 0.001, batches of 32); beside them gradients are clipped at norm
// 1 and training stops after 10 epochs without improvement.
func DefaultTraining() Training {
	return Training{
		Epochs:        100,
		BatchSize:     32,
		LearningRate:  1e-3,
		Optimizer:     DefaultAdam,
		ClipNorm:      1,
		EarlyStopping: &EarlyStopping{Patience: 10, RestoreBest: true},
	}
}

// Package guestmodel is the kind `model` for model types the component fits itself. Its Plan gives [model.Guest].
package guestmodel

import (
	"bellwether"
	"bellwether/data"
	"bellwether/model"
)

// Plugin is a model type that fits itself, with a configuration of type C. Fit and Predict run on fresh instances: what was
// learned goes through the host as bytes (package state).
type Plugin[C any] interface {
	model.Plugin[C]
	// Fit learns from train; validation comes later in time and may steer stopping. Returns the state Predict reads. For
	// the target `price` both parts hold ln(future close / last close), and so do the predictions.
	Fit(train, validation data.Windows, config C) ([]byte, error)
	// Predict gives one number per sample of inputs, in order, in the target's unit (for a binary task a probability).
	Predict(state []byte, inputs data.Windows, config C) ([]float64, error)
}

// called is the plugin with its configuration still text.
var called struct {
	fit     func(train, validation data.Windows, config string) ([]byte, error)
	predict func(state []byte, inputs data.Windows, config string) ([]float64, error)
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	model.Register[C](info, plugin)
	called.fit = func(train, validation data.Windows, text string) ([]byte, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return nil, err
		}
		return plugin.Fit(train, validation, config)
	}
	called.predict = func(state []byte, inputs data.Windows, text string) ([]float64, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return nil, err
		}
		return plugin.Predict(state, inputs, config)
	}
}

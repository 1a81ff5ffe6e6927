package ec2

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

//go:embed prices.csv
var defaultPrices []byte

// price is what an instance type costs in US dollars an hour; 0: not known.
type price struct{ onDemand, spot float64 }

// of returns the price in a market. That of spot is not known unless the
// table says it: the on-demand price is not it.
func (p price) of(m Market) float64 {
	if m == Spot {
		return p.spot
	}
	return p.onDemand
}

// loadPrices reads the table of a file, or the embedded one.
func loadPrices(file string) (map[string]price, error) {
	if file == "" {
		return readPrices(bytes.NewReader(defaultPrices))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ec2: prices: %w", err)
	}
	prices, err := readPrices(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("ec2: prices: %s: %w", file, err)
	}
	return prices, nil
}

// readPrices reads CSV: type, US dollars an hour on demand and, where it is
// known, as spot. Lines that begin with # are comments.
func readPrices(r io.Reader) (map[string]price, error) {
	in := csv.NewReader(r)
	in.Comment, in.FieldsPerRecord, in.TrimLeadingSpace = '#', -1, true
	prices := map[string]price{}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if len(fields) < 2 || len(fields) > 3 || fields[0] == "" {
			return nil, fmt.Errorf("line %d: has %d fields, and should be TYPE,DOLLARS or TYPE,DOLLARS,SPOT", line, len(fields))
		}
		if _, twice := prices[fields[0]]; twice {
			return nil, fmt.Errorf("line %d: %s has a price already", line, fields[0])
		}
		var dollars [2]float64
		for i, f := range fields[1:] {
			d, err := strconv.ParseFloat(f, 64)
			if err != nil || !(d > 0 && d < 100000) {
				return nil, fmt.Errorf("line %d: %q is no price: dollars an hour, such as 0.096", line, f)
			}
			dollars[i] = d
		}
		prices[fields[0]] = price{dollars[0], dollars[1]}
	}
	if len(prices) == 0 {
		return nil, errors.New("there is no price in it")
	}
	return prices, nil
}

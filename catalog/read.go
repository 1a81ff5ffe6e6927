package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxSize bounds what Read takes: 100,000 jobs are about 50 MB.
const maxSize = 256 << 20

// Read reads a catalog. It is strict: another version, an unknown field, a
// duplicate path or token, anything behind the catalog and more than 256 MB
// are errors, and they name the line. The version has to stand first, so
// that of a newer catalog the version is named and not its first new field.
func Read(r io.Reader) (Catalog, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return Catalog{}, fmt.Errorf("catalog: %w", err)
	}
	if len(data) > maxSize {
		return Catalog{}, fmt.Errorf("catalog: larger than %d MB", maxSize>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	c, err := decode(dec)
	if err != nil {
		return Catalog{}, fmt.Errorf("catalog: line %d: %w", lineAt(data, dec.InputOffset()), err)
	}
	return c, nil
}

// decode reads one catalog; an error is about what stands at the decoder's
// offset.
func decode(dec *json.Decoder) (Catalog, error) {
	if err := expect(dec, json.Delim('{'), "version"); err != nil {
		return Catalog{}, fmt.Errorf(`it does not begin with {"version": %d, …; batchctl render writes a catalog`, Version)
	}
	var c Catalog
	if err := dec.Decode(&c.Version); err != nil {
		return Catalog{}, fmt.Errorf("version: %w", err)
	}
	if c.Version != Version {
		return Catalog{}, fmt.Errorf("it has version %d, but this program reads version %d; use batchctl and provisioner of one release", c.Version, Version)
	}
	if err := expect(dec, "jobs", json.Delim('[')); err != nil {
		return Catalog{}, errors.New(`"jobs": [ has to follow the version, and nothing else`)
	}
	var seen seen
	for dec.More() {
		var j Job
		if err := dec.Decode(&j); err != nil {
			return Catalog{}, fmt.Errorf("jobs[%d]: %w", len(c.Jobs), err)
		}
		if err := seen.add(&j); err != nil {
			return Catalog{}, fmt.Errorf("jobs[%d]: %w", len(c.Jobs), err)
		}
		c.Jobs = append(c.Jobs, j)
	}
	if err := expect(dec, json.Delim(']'), json.Delim('}')); err != nil {
		return Catalog{}, fmt.Errorf("behind the jobs: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Catalog{}, errors.New("something stands behind the catalog")
	}
	return c, nil
}

// expect reads the given tokens.
func expect(dec *json.Decoder, want ...json.Token) error {
	for _, w := range want {
		got, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if got != w {
			return fmt.Errorf("%v stands where %v has to", got, w)
		}
	}
	return nil
}

// lineAt returns the number of the line that holds data[offset].
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

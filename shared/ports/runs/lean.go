package runs

import (
	"encoding/json"
	"errors"
	"fmt"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// partFrom is how long a run's Import may be as JSON, in bytes, to be stored in the run's own record.
const partFrom = 4 << 10

// Record is a run as a store keeps it. A long Import has a record of its own that is written once: the run's is
// written at every checkpoint and read by every list. Of such an Import the run's record keeps the options in its
// place.
type Record struct {
	run.Run
	// Parted is nil where the run's record has its Import.
	Parted *Parted `json:"parted,omitempty"`
}

// Parted stands for an Import that has a record of its own.
type Parted struct {
	// Key names that record.
	Key string `json:"key"`
	// Lean is what a list shows of it, Fingerprint that of all of it.
	Lean        settings.Import `json:"lean"`
	Fingerprint string          `json:"fingerprint"`
}

// NewRecord returns the record of a new run, and the JSON of the Import that is to be stored under key, nil where the
// run's record has it.
func NewRecord(r run.Run, key string) (rec Record, parted []byte, err error) {
	rec = Record{Run: r}
	parted, err = json.Marshal(r.Import)
	if err != nil || len(parted) < partFrom {
		return rec, nil, err
	}
	rec.Parted = &Parted{Key: key, Lean: lean(r.Import), Fingerprint: r.Import.Fingerprint()}
	rec.Import = settings.Import{Options: r.Import.Options}
	return rec, parted, nil
}

// lean is an Import without what may be long.
func lean(i settings.Import) settings.Import {
	short := settings.Import{Connection: i.Connection, Options: i.Options}
	short.Connection.CACertificate = ""
	return short
}

// Lean returns the run without what may be long of its Import: the CA certificate and the advanced settings.
func (rec Record) Lean() run.Run {
	r := rec.Run
	if rec.Parted != nil {
		r.Import, r.ImportFingerprint = rec.Parted.Lean, rec.Parted.Fingerprint
		return r
	}
	r.ImportFingerprint = r.Import.Fingerprint()
	r.Import = lean(r.Import)
	return r
}

// Changed returns the record with what a change made of its lean run. The Import stays as it was stored.
func (rec Record) Changed(r run.Run) Record {
	r.Import = rec.Import
	rec.Run = r
	return rec
}

// Whole returns the run with its Import, whose JSON read returns where it has a record of its own.
func (rec Record) Whole(read func(key string) ([]byte, error)) (run.Run, error) {
	if rec.Parted == nil {
		return rec.Run, nil
	}
	parted, err := read(rec.Parted.Key)
	if errors.Is(err, ErrNotFound) {
		// Not the run is missing: its caller must not take it for gone.
		return run.Run{}, fmt.Errorf("the settings of run %s are not stored", rec.ID)
	}
	if err != nil {
		return run.Run{}, fmt.Errorf("read the settings of run %s: %w", rec.ID, err)
	}
	r := rec.Run
	if err := json.Unmarshal(parted, &r.Import); err != nil {
		return run.Run{}, fmt.Errorf("read the settings of run %s: %w", rec.ID, err)
	}
	return r, nil
}

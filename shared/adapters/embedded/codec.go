package embedded

import (
	"encoding/binary"
	"fmt"

	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// codecVersion is the first byte of a stored user.
const codecVersion = 1

// known are the texts that every stored user has some of.
var known = []string{
	"", string(user.Primary), string(user.Alias), string(user.FromDirectory), string(user.Manual),
	string(user.ReportDaily), string(user.ReportOff), string(user.TypeUser), string(user.TypeContact),
	string(user.TypeGroup), string(user.TypePublicFolder), string(user.TypeResource),
	string(user.TypeShared), string(user.TypeUnknown),
}

// appendUser writes a user without its key, and first of all what conditions need.
func appendUser(b []byte, u *user.User) []byte {
	b = append(b, codecVersion)
	b = binary.AppendVarint(b, u.Version)
	b = packed.AppendText(b, u.LastRunID)
	b = packed.AppendBool(b, u.Protected)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport)} {
		b = packed.AppendKnown(b, s, known)
	}
	b = packed.AppendTime(b, u.CreatedAt)
	b = packed.AppendTime(b, u.UpdatedAt)
	b = packed.AppendTwin(b, u.Address, u.Key)
	b = packed.AppendTwin(b, u.PrimaryAddress, u.Address)
	b = packed.AppendText(b, u.DirectoryID)
	b = packed.AppendText(b, u.SourceID)
	return packed.AppendText(b, u.DN)
}

// decodeVersion reads what a condition needs of a stored user.
func decodeVersion(b []byte) (version int64, runID string, err error) {
	r, err := stored(b)
	version, runID = r.Varint(), r.Text()
	if err == nil {
		err = r.Err()
	}
	return version, runID, err
}

// decodeUser reads a user.
func decodeUser(key string, b []byte) (user.User, error) {
	r, err := stored(b)
	if err != nil {
		return user.User{}, fmt.Errorf("%s: %w", key, err)
	}
	u := user.User{Key: key, Version: r.Varint(), LastRunID: r.Text(), Protected: r.Bool()}
	u.Kind, u.Type = user.Kind(r.Known(known)), user.Type(r.Known(known))
	u.Source, u.HeldSpamReport = user.Source(r.Known(known)), user.HeldSpamReport(r.Known(known))
	u.CreatedAt, u.UpdatedAt = r.Time(), r.Time()
	u.Address = r.Twin(key)
	u.PrimaryAddress = r.Twin(u.Address)
	u.DirectoryID, u.SourceID, u.DN = r.Text(), r.Text(), r.Text()
	if r.Err() != nil {
		return user.User{}, fmt.Errorf("%s: %w", key, r.Err())
	}
	return u, nil
}

// stored returns a reader behind the version of a stored user. It reads a copy: bbolt's memory is only lent.
func stored(b []byte) (packed.Reader, error) {
	r := packed.NewReader(string(b))
	if v := r.Byte(); r.Err() == nil && v != codecVersion {
		return r, fmt.Errorf("stored user has format %d, and this program reads %d: start a newer one", v, codecVersion)
	}
	return r, r.Err()
}

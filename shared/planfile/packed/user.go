package packed

import (
	"encoding/binary"

	"rollcall/shared/user"
)

// Field is a field of a user.
type Field byte

// The fields. Those of text come first.
const (
	Key Field = iota
	Address
	PrimaryAddress
	DN
	DirectoryID
	SourceID
	LastRunID
	Kind
	Type
	Source
	HeldSpamReport
	Protected
	Version
	CreatedAt
	UpdatedAt
)

// Form is how a text is written.
type Form byte

// The forms.
const (
	// InFull writes the text as it is.
	InFull Form = iota
	// FromKnown writes its number among the known texts.
	FromKnown
	// UnlessBase writes a single byte where the base has the same text.
	UnlessBase
	// UnlessKey writes a single byte where an address is the user's key, or a primary address the user's own address.
	UnlessKey
)

// Item is a field and, for texts, its form.
type Item struct {
	Field Field
	Form  Form
}

// Layout is how a format writes users: the fields in their order. What is left out is not stored. A layout of what is
// kept on disk never changes.
type Layout struct {
	Items []Item
	// Known are the texts of FromKnown, fewer than 255.
	Known []string
}

// Append writes a user. The base, which only UnlessBase needs, must be known to the reader.
func (l *Layout) Append(b []byte, u, base *user.User) []byte {
	for _, item := range l.Items {
		switch item.Field {
		case Protected:
			b = AppendBool(b, u.Protected)
		case Version:
			b = binary.AppendVarint(b, u.Version)
		case CreatedAt:
			b = AppendTime(b, u.CreatedAt)
		case UpdatedAt:
			b = AppendTime(b, u.UpdatedAt)
		default:
			text := *textOf(u, item.Field)
			switch item.Form {
			case InFull:
				b = AppendText(b, text)
			case FromKnown:
				b = AppendKnown(b, text, l.Known)
			case UnlessBase:
				b = AppendUnless(b, text, *textOf(base, item.Field))
			case UnlessKey:
				b = AppendUnless(b, text, *textOf(u, item.Field-1))
			}
		}
	}
	return b
}

// Read reads what Append wrote with the same base into u, and leaves the fields alone that the layout does not have.
// A reader that fails leaves what is behind the damage empty.
func (l *Layout) Read(r *Reader, u, base *user.User) {
	for _, item := range l.Items {
		switch item.Field {
		case Protected:
			u.Protected = r.Bool()
		case Version:
			u.Version = r.Varint()
		case CreatedAt:
			u.CreatedAt = r.Time()
		case UpdatedAt:
			u.UpdatedAt = r.Time()
		default:
			text := textOf(u, item.Field)
			switch item.Form {
			case InFull:
				*text = r.Text()
			case FromKnown:
				*text = r.Known(l.Known)
			case UnlessBase:
				*text = r.Unless(*textOf(base, item.Field))
			case UnlessKey:
				*text = r.Unless(*textOf(u, item.Field-1))
			}
		}
	}
}

// UserTexts are the texts that nearly every user has some of. The embedded store keeps their numbers, so none of them
// ever gets another one.
func UserTexts() []string {
	return []string{
		"", string(user.Primary), string(user.Alias), string(user.FromDirectory), string(user.Manual),
		string(user.ReportDaily), string(user.ReportOff),
		string(user.TypeUser), string(user.TypeContact), string(user.TypeGroup), string(user.TypePublicFolder),
		string(user.TypeResource), string(user.TypeShared), string(user.TypeUnknown),
	}
}

// textOf returns a field of text.
func textOf(u *user.User, f Field) *string {
	switch f {
	case Key:
		return &u.Key
	case Address:
		return &u.Address
	case PrimaryAddress:
		return &u.PrimaryAddress
	case DN:
		return &u.DN
	case DirectoryID:
		return &u.DirectoryID
	case SourceID:
		return &u.SourceID
	case LastRunID:
		return &u.LastRunID
	case Kind:
		return (*string)(&u.Kind)
	case Type:
		return (*string)(&u.Type)
	case Source:
		return (*string)(&u.Source)
	}
	return (*string)(&u.HeldSpamReport)
}

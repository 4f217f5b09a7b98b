package ldapd

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// maxMessage is the largest request taken, in bytes. Requests are filters and names: small.
const maxMessage = 64 << 10

// Protocol operations (RFC 4511, 4.2 to 4.12), as application tags.
const (
	opBindRequest      ber.Tag = 0
	opBindResponse     ber.Tag = 1
	opUnbindRequest    ber.Tag = 2
	opSearchRequest    ber.Tag = 3
	opSearchEntry      ber.Tag = 4
	opSearchDone       ber.Tag = 5
	opModifyRequest    ber.Tag = 6
	opAddRequest       ber.Tag = 8
	opDeleteRequest    ber.Tag = 10
	opModifyDNRequest  ber.Tag = 12
	opCompareRequest   ber.Tag = 14
	opAbandonRequest   ber.Tag = 16
	opSearchReference  ber.Tag = 19
	opExtendedRequest  ber.Tag = 23
	opExtendedResponse ber.Tag = 24
)

// Result is an LDAPResult: a code (RFC 4511, appendix A), the name that was found instead, and a text.
type Result struct {
	Code      int
	MatchedDN string
	Message   string
}

// Result codes that the server gives by itself.
const (
	CodeSuccess                      = 0
	CodeOperationsError              = 1
	CodeProtocolError                = 2
	CodeSizeLimitExceeded            = 4
	CodeAuthMethodNotSupported       = 7
	CodeStrongerAuthRequired         = 8
	CodeUnavailableCriticalExtension = 12
	CodeNoSuchObject                 = 32
	CodeInvalidDNSyntax              = 34
	CodeInappropriateAuthentication  = 48
	CodeInvalidCredentials           = 49
	CodeInsufficientAccessRights     = 50
	CodeUnwillingToPerform           = 53
)

// message is a request taken apart.
type message struct {
	id       int64
	op       *ber.Packet
	controls []control
}

// control is a request control (RFC 4511, 4.1.11).
type control struct {
	oid      string
	critical bool
	value    []byte
}

// readFrame reads one BER element whole, refusing indefinite lengths and anything above maxMessage, so that a client
// cannot make the server allocate what it merely announces.
func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read a request: %w", err)
	}
	length, headLength := int(head[1]), 2
	if length&0x80 != 0 {
		n := length & 0x7f
		if n == 0 || n > 4 {
			return nil, fmt.Errorf("%w: length of %d octets", errProtocol, n)
		}
		headLength += n
		if head, err = r.Peek(headLength); err != nil {
			return nil, fmt.Errorf("read a request: %w", err)
		}
		length = 0
		for _, b := range head[2:] {
			length = length<<8 | int(b)
		}
	}
	if length > maxMessage {
		return nil, fmt.Errorf("%w: a request of %d bytes", errProtocol, length)
	}
	frame := make([]byte, headLength+length)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	return frame, nil
}

// decode takes a frame apart. An error wraps errProtocol.
func decode(frame []byte) (message, error) {
	p, err := ber.DecodePacketErr(frame)
	if err != nil {
		return message{}, fmt.Errorf("%w: %w", errProtocol, err)
	}
	if len(p.Children) < 2 || p.Children[1].ClassType != ber.ClassApplication {
		return message{}, fmt.Errorf("%w: not an LDAPMessage", errProtocol)
	}
	id, err := integer(p.Children[0])
	if err != nil {
		return message{}, err
	}
	m := message{id: id, op: p.Children[1]}
	if len(p.Children) > 2 {
		for _, c := range p.Children[2].Children {
			m.controls = append(m.controls, decodeControl(c))
		}
	}
	return m, nil
}

func decodeControl(p *ber.Packet) control {
	var c control
	for i, child := range p.Children {
		switch {
		case i == 0:
			c.oid = octets(child)
		case child.Tag == ber.TagBoolean:
			c.critical = octets(child) != "\x00"
		default:
			c.value = child.Data.Bytes()
		}
	}
	return c
}

// octets returns the content of an element as it came. The codec sets ByteValue for universal tags only, Data for all.
func octets(p *ber.Packet) string { return p.Data.String() }

// integer returns the content of an INTEGER or ENUMERATED.
func integer(p *ber.Packet) (int64, error) {
	n, err := ber.ParseInt64(p.Data.Bytes())
	if err != nil || p.Data.Len() == 0 {
		return 0, fmt.Errorf("%w: not a number", errProtocol)
	}
	return n, nil
}

// envelope wraps an operation as the answer to message id, with controls where there are any.
func envelope(id int64, op *ber.Packet, controls ...*ber.Packet) []byte {
	p := ber.NewSequence("LDAPMessage")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "messageID"))
	p.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
		for _, c := range controls {
			list.AppendChild(c)
		}
		p.AppendChild(list)
	}
	return p.Bytes()
}

// operation makes an empty protocol operation.
func operation(tag ber.Tag) *ber.Packet {
	return ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
}

// encodeResult makes a response that consists of an LDAPResult.
func encodeResult(tag ber.Tag, r Result) *ber.Packet {
	op := operation(tag)
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(r.Code),
		"resultCode"))
	op.AppendChild(octetString(r.MatchedDN))
	op.AppendChild(octetString(r.Message))
	return op
}

func octetString(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

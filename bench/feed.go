package main

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"net"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
)

// feed is a directory server that answers any search below its base with all of its entries, encoded beforehand. It
// loads in seconds what OpenLDAP needs minutes for, for what is measured of Rollcall alone.
type feed struct {
	net.Listener
	entries [][]byte
}

// newFeed serves entries, with the attributes that searches ask for, until it is closed.
func newFeed(entries iter.Seq[*ldif.Entry], names []string) (*feed, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, err
	}
	f := &feed{Listener: listener}
	for e := range entries {
		if len(e.Get("mail")) > 0 {
			f.entries = append(f.entries, entryOp(e, names))
		}
	}
	go func() {
		for {
			conn, err := f.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				to := bufio.NewWriterSize(conn, 1<<16)
				for err := error(nil); err == nil; {
					err = f.answer(conn, to)
				}
			}()
		}
	}()
	return f, nil
}

// request is what the API wants, to read it. What TLS takes is in the rows with OpenLDAP.
func (f *feed) request() map[string]any {
	host, port, _ := net.SplitHostPort(f.Addr().String())
	number, _ := strconv.Atoi(port)
	return map[string]any{"connection": map[string]any{
		"serverType": "exchange", "host": host, "port": number, "username": "cn=reader", "password": "secret",
		"allowUnencrypted": true,
	}}
}

// errHungUp ends a connection.
var errHungUp = errors.New("the client is done")

// answer takes one request and answers it.
func (f *feed) answer(from io.Reader, to *bufio.Writer) error {
	request, err := ber.ReadPacket(from)
	if err != nil {
		return err
	}
	if len(request.Children) < 2 {
		return errHungUp
	}
	id, _ := request.Children[0].Value.(int64)
	switch op := request.Children[1]; op.Tag {
	case ldap.ApplicationBindRequest:
		writeMessage(to, id, resultOp(ldap.ApplicationBindResponse))
	case ldap.ApplicationSearchRequest:
		f.search(to, id, request)
	default:
		return errHungUp
	}
	return to.Flush()
}

func (f *feed) search(to *bufio.Writer, id int64, request *ber.Packet) {
	op := request.Children[1]
	base, _ := op.Children[0].Value.(string)
	scope, _ := op.Children[1].Value.(int64)
	paging := pagingOf(request)
	switch {
	case base == "":
		root := &ldif.Entry{}
		root.Add("namingContexts", ldapserver.PeopleBase)
		root.Add("supportedControl", ldap.ControlTypePaging)
		writeMessage(to, id, entryOp(root, []string{"namingContexts", "supportedControl"}))
	case scope == ldap.ScopeBaseObject || paging == nil:
		writeMessage(to, id, entryOp(&ldif.Entry{DN: base}, nil))
	default:
		at, _ := strconv.Atoi(string(paging.Cookie))
		end := min(at+int(paging.PagingSize), len(f.entries))
		for _, entry := range f.entries[at:end] {
			writeMessage(to, id, entry)
		}
		paging.Cookie = nil
		if end < len(f.entries) {
			paging.Cookie = strconv.AppendInt(nil, int64(end), 10)
		}
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		controls.AppendChild(paging.Encode())
		writeMessage(to, id, resultOp(ldap.ApplicationSearchResultDone), controls.Bytes())
		return
	}
	writeMessage(to, id, resultOp(ldap.ApplicationSearchResultDone))
}

func pagingOf(request *ber.Packet) *ldap.ControlPaging {
	if len(request.Children) < 3 {
		return nil
	}
	for _, child := range request.Children[2].Children {
		if control, err := ldap.DecodeControl(child); err == nil {
			if paging, ok := control.(*ldap.ControlPaging); ok {
				return paging
			}
		}
	}
	return nil
}

// writeMessage writes an LDAPMessage (RFC 4511, 4.1.1). A failure to write shows when it is flushed.
func writeMessage(to *bufio.Writer, id int64, parts ...[]byte) {
	number := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "").Bytes()
	length := len(number)
	for _, part := range parts {
		length += len(part)
	}
	// A length of four bytes fits every message.
	head := []byte{0x30, 0x84, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
	for _, part := range append([][]byte{head, number}, parts...) {
		_, _ = to.Write(part)
	}
}

func resultOp(tag ber.Tag) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, ""))
	op.AppendChild(octets(""))
	op.AppendChild(octets(""))
	return op.Bytes()
}

func entryOp(e *ldif.Entry, names []string) []byte {
	attributes := ber.NewSequence("")
	for _, name := range names {
		values := e.Get(name)
		if len(values) == 0 {
			continue
		}
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(octets(v))
		}
		attribute := ber.NewSequence("")
		attribute.AppendChild(octets(name))
		attribute.AppendChild(set)
		attributes.AppendChild(attribute)
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(octets(e.DN))
	op.AppendChild(attributes)
	return op.Bytes()
}

func octets(text string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, "")
}

// renamed yields the entries with another primary address each; the former one is gone.
func renamed(entries iter.Seq[*ldif.Entry]) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		for e := range entries {
			if mail := e.Get("mail"); len(mail) > 0 {
				mail[0] = "new." + mail[0]
			}
			for i, address := range e.Get("proxyAddresses") {
				if primary, ok := strings.CutPrefix(address, "SMTP:"); ok {
					e.Get("proxyAddresses")[i] = "SMTP:new." + primary
				}
			}
			if !yield(e) {
				return
			}
		}
	}
}

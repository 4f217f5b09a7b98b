package dynamodb

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/user"
)

// shards is how many partition keys an account's users are spread over: one takes 1,000 writes a second. It must never
// change, since it says where a user is.
const shards = 16

// The attributes of a user beside its keys. What is empty is left out.
const (
	attrKind        = "kind"
	attrPrimary     = "primaryAddress"
	attrDisplay     = "displayAddress"
	attrType        = "type"
	attrSource      = "source"
	attrDirectoryID = "directoryId"
	attrSourceID    = "sourceId"
	attrDN          = "dn"
	attrReport      = "heldSpamReport"
	attrProtected   = "protected"
	attrVersion     = "version"
	attrLastRun     = "lastRunId"
	attrCreated     = "createdAt"
	attrUpdated     = "updatedAt"
)

// partition is the partition key of one shard of an account's users. The shard is always one digit behind the last #,
// so that an account whose name ends like a shard is still another.
func partition(account user.Account, shard int) string {
	return string(account) + "#" + strconv.FormatInt(int64(shard), shards)
}

// shardOf tells in which shard a user is, by a hash (FNV-1a) of its canonical address.
func shardOf(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % shards)
}

// userKey is the key of a user's item.
func userKey(account user.Account, key string) item {
	return item{manifest.UsersPartition: str(partition(account, shardOf(key))), manifest.UsersSort: str(key)}
}

// encodeUser writes a user by hand, without reflection: a first sync does so for every user.
func encodeUser(account user.Account, u *user.User) item {
	i := make(item, 16)
	i[manifest.UsersPartition] = str(partition(account, shardOf(u.Key)))
	i[manifest.UsersSort] = str(u.Key)
	for _, field := range [...]struct{ name, value string }{
		{attrKind, string(u.Kind)}, {attrPrimary, u.PrimaryAddress}, {attrDisplay, u.Address},
		{attrType, string(u.Type)},
		{attrSource, string(u.Source)}, {attrDirectoryID, u.DirectoryID}, {attrSourceID, u.SourceID}, {attrDN, u.DN},
		{attrReport, string(u.HeldSpamReport)}, {attrLastRun, u.LastRunID},
	} {
		if field.value != "" {
			i[field.name] = str(field.value)
		}
	}
	if u.Protected {
		i[attrProtected] = &types.AttributeValueMemberBOOL{Value: true}
	}
	i[attrVersion] = number(u.Version)
	putTime(i, attrCreated, u.CreatedAt)
	putTime(i, attrUpdated, u.UpdatedAt)
	return i
}

// decodeUser reads a user. Attributes that it does not know are left alone.
func decodeUser(i item) (user.User, error) {
	u := user.User{
		Key: text(i, manifest.UsersSort), Address: text(i, attrDisplay), Kind: user.Kind(text(i, attrKind)),
		PrimaryAddress: text(i, attrPrimary),
		Type:           user.Type(text(i, attrType)), Source: user.Source(text(i, attrSource)),
		DirectoryID: text(i, attrDirectoryID),
		SourceID:    text(i, attrSourceID), DN: text(i, attrDN),
		HeldSpamReport: user.HeldSpamReport(text(i, attrReport)),
		LastRunID:      text(i, attrLastRun),
	}
	if protected, ok := i[attrProtected].(*types.AttributeValueMemberBOOL); ok {
		u.Protected = protected.Value
	}
	var err error
	if u.Version, err = integer(i, attrVersion); err != nil {
		return user.User{}, fmt.Errorf("user %q: %w", u.Key, err)
	}
	if u.CreatedAt, err = timeAt(i, attrCreated); err != nil {
		return user.User{}, fmt.Errorf("user %q: %w", u.Key, err)
	}
	if u.UpdatedAt, err = timeAt(i, attrUpdated); err != nil {
		return user.User{}, fmt.Errorf("user %q: %w", u.Key, err)
	}
	return u, nil
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func integer(i item, name string) (int64, error) {
	n, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, missing(name)
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

// putTime writes a time as RFC 3339 in UTC, to the nanosecond.
func putTime(i item, name string, t time.Time) {
	if !t.IsZero() {
		i[name] = str(t.UTC().Format(time.RFC3339Nano))
	}
}

func timeAt(i item, name string) (time.Time, error) {
	written := text(i, name)
	if written == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, written)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/shared/ports/objects"
)

const (
	// minSession and maxSession bound a session of an assumed role: STS gives no shorter ones, and to a role that
	// assumes another no longer ones.
	minSession = 15 * time.Minute
	maxSession = time.Hour
	// sessionName says in CloudTrail what a session was for.
	sessionName = "rollcall-download"
)

// errExpired means that the credentials that were to sign a link have expired.
var errExpired = errors.New("the credentials that sign links have expired")

// Link signs a GET. The link works until the credentials that signed it expire, and no longer than ttl: those of
// LinkRole last up to an hour and can read this one object, so that a link cannot be turned into anything else.
func (o accountObjects) Link(ctx context.Context, key, fileName string, ttl time.Duration) (string, time.Time, error) {
	name, err := o.name(key)
	if err != nil {
		return "", time.Time{}, err
	}
	if _, err := o.c.Client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &o.c.Bucket, Key: &name}); err != nil {
		return "", time.Time{}, explain(err, "link to "+key)
	}
	now := o.c.Now()
	signer, err := o.signer(ctx, name, ttl)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("link to %s: %w", key, err)
	}
	expires := now.Add(ttl)
	if signer.CanExpire && signer.Expires.Before(expires) {
		expires = signer.Expires
	}
	expires = expires.UTC().Truncate(time.Second)
	left := expires.Sub(now).Truncate(time.Second)
	if left <= 0 {
		return "", time.Time{}, fmt.Errorf("link to %s: %w", key, errExpired)
	}
	request, err := awss3.NewPresignClient(o.c.Client).PresignGetObject(ctx, &awss3.GetObjectInput{
		Bucket: &o.c.Bucket, Key: &name,
		ResponseContentType:        aws.String(objects.ContentType(key)),
		ResponseContentDisposition: aws.String(objects.Disposition(fileName)),
		ResponseCacheControl:       aws.String("private, no-store"),
	}, awss3.WithPresignExpires(left), awss3.WithPresignClientFromClientOptions(func(options *awss3.Options) {
		options.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials,
			error) {
			return signer, nil
		})
	}))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("link to %s: %w", key, err)
	}
	return request.URL, expires, nil
}

// signer returns the credentials that sign a link to the object with a name.
func (o accountObjects) signer(ctx context.Context, name string, ttl time.Duration) (aws.Credentials, error) {
	if o.c.LinkRole == "" {
		return o.c.Client.Options().Credentials.Retrieve(ctx)
	}
	policy, err := o.onlyRead(name)
	if err != nil {
		return aws.Credentials{}, err
	}
	// A second more, since the session begins before its credentials arrive.
	session := min(max(ttl+time.Second, minSession), maxSession)
	out, err := o.c.Roles.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &o.c.LinkRole, RoleSessionName: aws.String(sessionName), Policy: &policy,
		DurationSeconds: aws.Int32(int32(session / time.Second)),
	})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("assume the role that signs links: %w", err)
	}
	c := out.Credentials
	return aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey),
		SessionToken: aws.ToString(c.SessionToken),
		CanExpire:    true, Expires: aws.ToTime(c.Expiration),
	}, nil
}

// statement is one of a policy's (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html).
type statement struct{ Effect, Action, Resource string }

// onlyRead is the policy of a session that can read one object. It narrows what the role may do.
func (o accountObjects) onlyRead(name string) (string, error) {
	_, rest, _ := strings.Cut(o.c.LinkRole, ":")
	partition, _, _ := strings.Cut(rest, ":")
	statements := []statement{{"Allow", "s3:GetObject", "arn:" + partition + ":s3:::" + o.c.Bucket + "/" + name}}
	if o.c.KeyID != "" {
		statements = append(statements, statement{"Allow", "kms:Decrypt", o.c.KeyID})
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text), err
}

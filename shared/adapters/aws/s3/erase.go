package s3

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollcall/shared/ports/objects"
	"rollcall/shared/user"
)

// Erase deletes all objects of an account with all their versions, and returns how many versions there were. It needs
// s3:ListBucketVersions and s3:DeleteObjectVersion, which no function has. Nothing of the account may be at work
// meanwhile.
func (s *Store) Erase(ctx context.Context, account user.Account) (deleted int, err error) {
	for _, prefix := range objects.Prefixes() {
		n, err := s.erase(ctx, prefix+escape(account)+"/")
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("erase the files of account %q: %w", account, err)
		}
	}
	return deleted, nil
}

func (s *Store) erase(ctx context.Context, prefix string) (deleted int, err error) {
	pages := awss3.NewListObjectVersionsPaginator(s.c.Client,
		&awss3.ListObjectVersionsInput{Bucket: &s.c.Bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return deleted, err
		}
		var doomed []types.ObjectIdentifier
		for _, v := range page.Versions {
			doomed = append(doomed, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			doomed = append(doomed, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(doomed) == 0 {
			continue
		}
		out, err := s.c.Client.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: &s.c.Bucket,
			Delete: &types.Delete{Objects: doomed, Quiet: aws.Bool(true)}})
		if err != nil {
			return deleted, err
		}
		if len(out.Errors) > 0 {
			failed := out.Errors[0]
			return deleted, fmt.Errorf("delete %s: %s: %s", aws.ToString(failed.Key), aws.ToString(failed.Code),
				aws.ToString(failed.Message))
		}
		deleted += len(page.Versions)
	}
	return deleted, nil
}

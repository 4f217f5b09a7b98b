package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// The package with the store on DynamoDB, and its two benchmarks: the first sync of 100,000 users through the store,
// and a plain loop of conditional PutItem with the same concurrency, both into DynamoDB Local.
const (
	dynamoPackage    = "./shared/adapters/aws/dynamodb"
	dynamoFirstSync  = "BenchmarkImport"
	dynamoPlainPuts  = "BenchmarkConditionalPuts"
	dynamoMostWanted = 1.15
)

// dynamo is the first sync into DynamoDB Local.
func (b *bench) dynamo(ctx context.Context) error {
	r := row{
		work: fmt.Sprintf("first sync of %s users into DynamoDB Local", thousands(syncedUsers)),
		peer: "a plain loop of conditional PutItem, same concurrency",
	}
	ours, peer := goBenchmark(dynamoPackage, dynamoFirstSync), goBenchmark(dynamoPackage, dynamoPlainPuts)
	if err := b.alternate(ctx, &r, rounds, ours, peer); err != nil {
		return err
	}
	r.ratio("wall", wall, dynamoMostWanted)
	b.add(r)
	return nil
}

// benchmarkLine is what go test prints of a benchmark that ran once.
var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark\S*\s+1\s+(\d+) ns/op`)

// goBenchmark measures one Go benchmark, run once.
func goBenchmark(pkg, name string) work {
	return func(ctx context.Context) (sample, error) {
		//nolint:gosec // the names above
		c := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", "1x", pkg)
		out, err := c.CombinedOutput()
		if err != nil {
			return sample{}, fmt.Errorf("%s of %s: %w: %s", name, pkg, err, bytes.TrimSpace(out))
		}
		found := benchmarkLine.FindSubmatch(out)
		if found == nil {
			return sample{}, fmt.Errorf("%s of %s printed no time: %s", name, pkg, bytes.TrimSpace(out))
		}
		ns, err := strconv.ParseInt(string(found[1]), 10, 64)
		return sample{wall: time.Duration(ns)}, err
	}
}

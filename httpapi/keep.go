package httpapi

import "context"

// keeper keeps the last answers that take long to make, by the data that they are of.
// One at a time is made: it takes the processor for a tenth of a second or more.
type keeper[T any] struct {
	one  chan struct{} // taken by who looks or makes
	kept map[string]*T
	most int // answers
}

func newKeeper[T any](most int) *keeper[T] {
	return &keeper[T]{one: make(chan struct{}, 1), kept: map[string]*T{}, most: most}
}

// get returns the answer of a key, which make makes where it is not kept.
func (k *keeper[T]) get(ctx context.Context, key string, make func() (*T, error)) (*T, error) {
	select {
	case k.one <- struct{}{}:
		defer func() { <-k.one }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if x := k.kept[key]; x != nil {
		return x, nil
	}
	x, err := make()
	if err != nil {
		return nil, err
	}
	if len(k.kept) >= k.most {
		clear(k.kept)
	}
	k.kept[key] = x
	return x, nil
}

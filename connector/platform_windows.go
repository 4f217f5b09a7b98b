package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows/svc"
)

// asService runs under Windows' service control manager where that has started the process, and as it is elsewhere.
func asService(ctx context.Context, run func(context.Context) error) error {
	service, err := svc.IsWindowsService()
	if err != nil {
		return fmt.Errorf("ask whether this is a service: %w", err)
	}
	if !service {
		return run(ctx)
	}
	h := &handler{run: func(stop <-chan struct{}) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			<-stop
			cancel()
		}()
		return run(ctx)
	}}
	if err := svc.Run("rollcall-connector", h); err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return h.err
}

// handler obeys the service control manager.
type handler struct {
	run func(stop <-chan struct{}) error
	err error
}

// Execute runs until it is told to stop, or ends by itself.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (bool, uint32) {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- h.run(stop) }()
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	changes <- svc.Status{State: svc.Running, Accepts: accepts}
	stopping := false
	for {
		select {
		case h.err = <-ended:
			if h.err != nil && !stopping {
				return true, 1
			}
			return false, 0
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				changes <- request.CurrentStatus
			case svc.Stop, svc.Shutdown:
				if !stopping {
					stopping = true
					changes <- svc.Status{State: svc.StopPending}
					close(stop)
				}
			}
		}
	}
}

// giveTo has nothing to do: files take the folder's access list.
func giveTo(string, *os.File) error { return nil }

// ownerOf is for systemd's units, which Windows has not.
func ownerOf(string) (string, error) { return "", errors.ErrUnsupported }

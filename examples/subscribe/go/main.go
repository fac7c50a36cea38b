// Command subscribe keeps the newest figures of objectives and KPIs in a JSON file.
//
//	subscribe 127.0.0.1:7700 workspaces/acme figures.json
//
// The file holds the resume token beside the data and is replaced as a whole, so that after any crash, of this program
// or of the server, it goes on exactly behind what is stored. Ctrl-C ends it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "binnacle.dev/examples/subscribe/gen/binnacle/v1"
)

const (
	delayMin = 500 * time.Millisecond
	delayMax = 30 * time.Second
)

// A token belongs to the filter it was given for: another filter needs another file.
var filter = &pb.SubscriptionFilter{ResourceKinds: []pb.SubscriptionFilter_ResourceKind{
	pb.SubscriptionFilter_RESOURCE_KIND_OBJECTIVE,
	pb.SubscriptionFilter_RESOURCE_KIND_KPI,
}}

// row is the newest figure of an objective or a KPI, if there is one, and how it stands.
type row struct {
	Figure   *float64 `json:"figure"`
	Standing string   `json:"standing"`
}

// stored is what the file holds.
type stored struct {
	Token   string         `json:"token"`
	Figures map[string]row `json:"figures"`
}

// store is what is known, as of the token that lies beside it.
type store struct {
	path   string
	stored stored
	// What came behind the newest token; nil when nothing did.
	unfinished map[string]row
	said       []string
}

func open(path string) (*store, error) {
	s := &store{path: path, stored: stored{Figures: map[string]row{}}}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(data, &s.stored)
}

// apply takes a message in. Nothing of it is stored before a message with a token has been taken in: what a large commit
// or a snapshot brings in several messages is seen as a whole or not at all.
func (s *store) apply(message *pb.SubscribeResponse) error {
	switch event := message.Event.(type) {
	case *pb.SubscribeResponse_Started:
		if message.ResumeToken == "" {
			// Only a snapshot begins without a token: the whole state comes, and replaces what was known.
			s.unfinished = map[string]row{}
		}
	case *pb.SubscribeResponse_Snapshot:
		for _, resource := range event.Snapshot.Resources {
			s.keep(resource)
		}
	case *pb.SubscribeResponse_SnapshotEnd:
		s.say("revision %d: %d figures to begin with", event.SnapshotEnd.Revision, len(s.begin()))
	case *pb.SubscribeResponse_Update:
		s.update(event.Update)
	case *pb.SubscribeResponse_FellBehind:
		s.say("the server says fell_behind")
	case *pb.SubscribeResponse_GoingAway:
		s.say("the server says going_away")
	}
	if message.ResumeToken == "" {
		return nil
	}
	return s.write(message.ResumeToken)
}

// giveUpUnfinished is for a stream that broke: what came behind the newest token comes again.
func (s *store) giveUpUnfinished() {
	s.unfinished, s.said = nil, nil
}

func (s *store) update(update *pb.Update) {
	for _, resource := range update.Entered {
		s.keep(resource)
	}
	for _, change := range update.DerivedChanges {
		var now row
		switch figure := change.Figure.(type) {
		case *pb.DerivedChange_Objective:
			now = ofObjective(figure.Objective.After)
		case *pb.DerivedChange_Kpi:
			now = ofKpi(figure.Kpi.After)
		default:
			continue
		}
		s.begin()[change.Resource] = now
		s.say("revision %d: %s %s %s", update.Commit.GetRevision(), change.Resource, now.text(), now.Standing)
	}
	for _, name := range update.Left {
		delete(s.begin(), name)
	}
}

func (s *store) keep(resource *pb.Resource) {
	switch kind := resource.Resource.(type) {
	case *pb.Resource_Objective:
		s.begin()[kind.Objective.Name] = ofObjective(kind.Objective.Progress)
	case *pb.Resource_Kpi:
		s.begin()[kind.Kpi.Name] = ofKpi(kind.Kpi.Health)
	}
}

// begin is the table that may be changed: what is stored stays as it is until it is replaced.
func (s *store) begin() map[string]row {
	if s.unfinished == nil {
		s.unfinished = make(map[string]row, len(s.stored.Figures))
		for name, figure := range s.stored.Figures {
			s.unfinished[name] = figure
		}
	}
	return s.unfinished
}

func (s *store) say(format string, values ...any) {
	s.said = append(s.said, fmt.Sprintf(format, values...))
}

// write puts data and token into one file, which is there whole or as it was, also after a power cut.
func (s *store) write(token string) error {
	next := stored{Token: token, Figures: s.begin()}
	data, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return err
	}
	written := s.path + ".new"
	if err := writeThrough(written, data); err != nil {
		return err
	}
	if err := os.Rename(written, s.path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(s.path)); err != nil {
		return err
	}
	for _, line := range s.said {
		fmt.Println(line)
	}
	s.stored = next
	s.giveUpUnfinished()
	return nil
}

func writeThrough(path string, data []byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// ofObjective is the score and the status. A draft has neither.
func ofObjective(progress *pb.ObjectiveProgress) row {
	var figure *float64
	if progress != nil {
		figure = progress.Score
	}
	return row{Figure: figure, Standing: progress.GetStatus().String()}
}

// ofKpi is the newest value and how it stands against its target.
func ofKpi(health *pb.KpiHealth) row {
	var figure *float64
	if health != nil {
		figure = health.LatestValue
	}
	return row{Figure: figure, Standing: health.GetHealth().String()}
}

func (r row) text() string {
	if r.Figure == nil {
		return "-"
	}
	return fmt.Sprint(*r.Figure)
}

// read reads one stream until it ends. It says whether the stream has brought the store forward; io.EOF is an end in good
// order.
func read(ctx context.Context, client pb.ProgressServiceClient, workspace string, s *store) (bool, error) {
	defer s.giveUpUnfinished()
	request := &pb.SubscribeRequest{
		Parent: workspace,
		Filter: filter,
		// Shorter than what a proxy on the way takes for a dead connection.
		CheckpointInterval: durationpb.New(20 * time.Second),
		Start:              &pb.SubscribeRequest_Snapshot{Snapshot: &emptypb.Empty{}},
	}
	if s.stored.Token != "" {
		request.Start = &pb.SubscribeRequest_After{After: s.stored.Token}
	}
	// Ends the stream when this function ends for another reason.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Subscribe(ctx, request)
	if err != nil {
		return false, err
	}
	forward := false
	for {
		message, err := stream.Recv()
		if err != nil {
			return forward, err
		}
		if err := s.apply(message); err != nil {
			log.Fatal(err)
		}
		if message.ResumeToken != "" && message.GetStarted() == nil {
			forward = true
		}
	}
}

// mayBeginAnew: the server does not know the token. It is another log now, or restored from an older copy, or the filter
// is another.
func mayBeginAnew(code codes.Code) bool {
	return code == codes.FailedPrecondition || code == codes.OutOfRange || code == codes.InvalidArgument
}

// mayPass: the same request may be welcome later. Unknown, Internal and Canceled are broken connections.
func mayPass(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.ResourceExhausted, codes.Unknown, codes.Internal, codes.Canceled, codes.DeadlineExceeded:
		return true
	default:
		return false
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("say where: subscribe 127.0.0.1:7700 workspaces/acme figures.json")
	}
	address, workspace, path := os.Args[1], os.Args[2], os.Args[3]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// Both ends notice within 40 s that the other is silently gone.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: delayMin, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 10 * time.Second,
		}))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := pb.NewProgressServiceClient(connection)
	s, err := open(path)
	if err != nil {
		log.Fatal(err)
	}
	delay := delayMin
	for {
		forward, err := read(ctx, client, workspace, s)
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, io.EOF) {
			code := status.Code(err)
			fmt.Println("the stream broke:", err)
			switch {
			case s.stored.Token != "" && mayBeginAnew(code):
				// The figures stay as they are until the snapshot is complete.
				s.stored.Token = ""
			case !mayPass(code):
				log.Fatal("somebody has to look at that")
			}
		}
		if forward {
			delay = delayMin
		} else {
			delay = min(2*delay, delayMax)
		}
		// Not all clients of a server that comes back at the same moment.
		select {
		case <-time.After(delay/2 + time.Duration(rand.Int63n(int64(delay/2)))):
		case <-ctx.Done():
			return
		}
	}
}

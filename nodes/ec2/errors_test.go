package ec2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// said is an error as the SDK returns it.
func said(code, message string) error {
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "RunInstances", Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

// What each code means, once more and by hand: the table is what the driver
// stands on.
func TestMeanings(t *testing.T) {
	s := &spec{Type: "m7g.large", Zone: "z-1a", Subnet: "subnet-1", Market: Spot}
	const place, kind, net, market = "", "m7g.large z-1a spot", "subnet-1", "market spot"
	want := map[string]struct {
		class nodes.Class
		scope string
	}{
		"InsufficientInstanceCapacity": {nodes.NoCapacity, kind}, "InsufficientCapacity": {nodes.NoCapacity, kind},
		"InsufficientCapacityOnHost": {nodes.NoCapacity, kind}, "InsufficientHostCapacity": {nodes.NoCapacity, kind},
		"InsufficientReservedInstanceCapacity": {nodes.NoCapacity, kind}, "ReservationCapacityExceeded": {nodes.NoCapacity, kind},
		"UnfulfillableCapacity": {nodes.NoCapacity, kind}, "Unsupported": {nodes.NoCapacity, kind}, "SpotMaxPriceTooLow": {nodes.NoCapacity, kind},
		"InsufficientVolumeCapacity": {nodes.NoCapacity, net}, "VolumeTypeNotAvailableInZone": {nodes.NoCapacity, net},
		"InsufficientFreeAddressesInSubnet": {nodes.NoCapacity, net}, "InsufficientAddressCapacity": {nodes.NoCapacity, place},

		"InstanceLimitExceeded": {nodes.Quota, market}, "VcpuLimitExceeded": {nodes.Quota, market},
		"MaxSpotInstanceCountExceeded": {nodes.Quota, market}, "SpotInstanceCountLimitExceeded": {nodes.Quota, market},
		"VolumeLimitExceeded": {nodes.Quota, place}, "MaxIOPSLimitExceeded": {nodes.Quota, place}, "ResourceLimitExceeded": {nodes.Quota, place},
		"ResourceCountExceeded": {nodes.Quota, place}, "ResourceCountLimitExceeded": {nodes.Quota, place},
		"NetworkInterfaceLimitExceeded": {nodes.Quota, place}, "AddressLimitExceeded": {nodes.Quota, place}, "PrivateIpAddressLimitExceeded": {nodes.Quota, place},

		"RequestLimitExceeded": {nodes.Throttled, place}, "Throttling": {nodes.Throttled, place}, "ThrottlingException": {nodes.Throttled, place},
		"ThrottledException": {nodes.Throttled, place}, "EC2ThrottledException": {nodes.Throttled, place},
		"TooManyRequestsException": {nodes.Throttled, place}, "RequestThrottledException": {nodes.Throttled, place},

		"AuthFailure": {nodes.Configuration, place}, "SignatureDoesNotMatch": {nodes.Configuration, place}, "InvalidClientTokenId": {nodes.Configuration, place},
		"UnrecognizedClientException": {nodes.Configuration, place}, "MissingAuthenticationToken": {nodes.Configuration, place},
		"ExpiredToken": {nodes.Configuration, place}, "ExpiredTokenException": {nodes.Configuration, place}, "RequestExpired": {nodes.Configuration, place},
		"UnauthorizedOperation": {nodes.Configuration, place}, "AccessDenied": {nodes.Configuration, place}, "AccessDeniedException": {nodes.Configuration, place},
		"OptInRequired": {nodes.Configuration, place}, "PendingVerification": {nodes.Configuration, place}, "Blocked": {nodes.Configuration, place},
		"OperationDisabledDueToSanctions": {nodes.Configuration, place}, "UnsupportedOperation": {nodes.Configuration, place},
		"UnsupportedHostConfiguration": {nodes.Configuration, place}, "InvalidParameter": {nodes.Configuration, place},
		"InvalidParameterValue": {nodes.Configuration, place}, "InvalidParameterCombination": {nodes.Configuration, place},
		"MissingParameter": {nodes.Configuration, place}, "UnknownParameter": {nodes.Configuration, place}, "MalformedQueryString": {nodes.Configuration, place},
		"InvalidAMIID.NotFound": {nodes.Configuration, place}, "InvalidAMIID.Malformed": {nodes.Configuration, place}, "InvalidAMIID.Unavailable": {nodes.Configuration, place},
		"InvalidAMIName.Malformed": {nodes.Configuration, place}, "InvalidBlockDeviceMapping": {nodes.Configuration, place},
		"InvalidSnapshot.NotFound": {nodes.Configuration, place}, "InvalidSubnetID.NotFound": {nodes.Configuration, net}, "InvalidSubnet.Conflict": {nodes.Configuration, net},
		"InvalidGroup.NotFound": {nodes.Configuration, place}, "InvalidGroupId.Malformed": {nodes.Configuration, place},
		"InvalidSecurityGroupID.NotFound": {nodes.Configuration, place}, "InvalidKeyPair.NotFound": {nodes.Configuration, place},
		"InvalidIamInstanceProfileArn.Malformed": {nodes.Configuration, place}, "NoSuchEntity": {nodes.Configuration, place},
		"InvalidLaunchTemplateName.NotFoundException": {nodes.Configuration, place}, "InvalidLaunchTemplateId.VersionNotFound": {nodes.Configuration, place},
		"InvalidCapacityReservationId.NotFound": {nodes.Configuration, kind}, "InvalidCapacityReservationState.NotActive": {nodes.Configuration, kind},
		"InvalidZone.NotFound": {nodes.Configuration, place}, "InvalidAvailabilityZone": {nodes.Configuration, place},
		"InvalidInstanceType": {nodes.Configuration, kind}, "InvalidUserData.Malformed": {nodes.Configuration, place},
		"InvalidTagKey.Malformed": {nodes.Configuration, place}, "TagLimitExceeded": {nodes.Configuration, place}, "InvalidVpcID.NotFound": {nodes.Configuration, place},
		"InvalidNetworkInterface.InUse": {nodes.Configuration, place}, "VPCIdNotSpecified": {nodes.Configuration, place}, "VPCResourceNotSpecified": {nodes.Configuration, place},
		"InvalidKmsKey.InvalidState": {nodes.Configuration, place}, "KMSKeyNotAccessibleFault": {nodes.Configuration, place},
		"EncryptedVolumesNotSupported": {nodes.Configuration, kind}, "ParameterNotFound": {nodes.Configuration, place},
		"ParameterVersionNotFound": {nodes.Configuration, place}, "ValidationException": {nodes.Configuration, place},

		// What is not known is not guessed at, whatever it sounds like.
		"InternalError": {nodes.Unsure, place}, "InternalFailure": {nodes.Unsure, place}, "Unavailable": {nodes.Unsure, place}, "ServiceUnavailable": {nodes.Unsure, place},
		"IncorrectInstanceState": {nodes.Unsure, place}, "InvalidInstanceID.NotFound": {nodes.Unsure, place}, "Insufficient": {nodes.Unsure, place}, "": {nodes.Unsure, place},
		"IdempotentParameterMismatch": {nodes.Unsure, place}, "UnknownError": {nodes.Unsure, place},
	}
	used := map[string]bool{}
	for code, w := range want {
		err := explain("RunInstances", said(code, "no"), s)
		e, _ := errors.AsType[*nodes.CloudError](err)
		if e == nil {
			e = &nodes.CloudError{Err: err}
		}
		if e.Class != w.class || e.Scope != w.scope {
			t.Errorf("%s is %q about %q, want %q about %q", code, e.Class, e.Scope, w.class, w.scope)
		}
		if !strings.Contains(err.Error(), code) {
			t.Errorf("%s is not in %q", code, err)
		}
		for key := range meanings {
			if key == code || strings.HasSuffix(key, "*") && strings.HasPrefix(code, key[:len(key)-1]) {
				used[key] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(meanings)) {
		if !used[key] {
			t.Errorf("no example of %s is here", key)
		}
	}
}

// An error keeps what it is, says what to do, and is short.
func TestExplain(t *testing.T) {
	long := said("UnauthorizedOperation", "You are not authorized.\n Encoded authorization failure message: "+strings.Repeat("x", 5000))
	if text := explain("RunInstances", long, nil).Error(); len(text) > 700 || !strings.Contains(text, "docs/ec2.md") || strings.Contains(text, "\n") {
		t.Errorf("got %d characters: %s", len(text), text)
	}
	for _, err := range []error{context.DeadlineExceeded, context.Canceled, io.EOF} {
		if got := explain("X", fmt.Errorf("somewhere: %w", err), nil); !errors.Is(got, err) || nodes.ClassOf(got) != nodes.Unsure {
			t.Errorf("%v became %v", err, got)
		}
	}
	if explain("X", nil, nil) != nil {
		t.Error("there was no error")
	}
}

// The class goes by the code, whatever status it comes with.
func TestClassOverTheWire(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 1)
	for _, test := range []struct {
		status int
		code   string
		want   nodes.Class
	}{
		{500, "InsufficientInstanceCapacity", nodes.NoCapacity}, {400, "InsufficientInstanceCapacity", nodes.NoCapacity},
		{503, "RequestLimitExceeded", nodes.Throttled}, {400, "Throttling", nodes.Throttled},
		{500, "InternalError", nodes.Unsure}, {400, "SomethingNew", nodes.Unsure}, {401, "AuthFailure", nodes.Configuration},
	} {
		l.Fail(func(c ec2test.Call) *ec2test.Fault {
			if c.Action == "RunInstances" {
				return &ec2test.Fault{Status: test.status, Code: test.code}
			}
			return nil
		})
		o.ID, o.Stored = o.ID+"x", time.Now()
		before := len(l.Calls())
		_, err := d.Launch(context.Background(), o)
		if got := nodes.ClassOf(err); err == nil || got != test.want {
			t.Errorf("%d %s is %q: %v", test.status, test.code, got, err)
		}
		if n := len(l.Calls()) - before; n != 1 {
			t.Errorf("%d %s: %d calls for an order that was new: the SDK must not repeat", test.status, test.code, n)
		}
	}
}

// Credentials stand in no error.
func TestNoSecretsInErrors(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 1)
	o.UserData = "one-time-token-of-the-order"
	for _, f := range []ec2test.Fault{{Lose: true}, {HTML: true}, {Status: 403, Code: "AuthFailure"}, {Say: new("nothing")}, {Half: true}} {
		l.Fail(func(ec2test.Call) *ec2test.Fault { return &f })
		o.ID += "x"
		_, err := d.Launch(context.Background(), o)
		for _, secret := range []string{"secret-of-the-test", "one-time-token-of-the-order", "b25lLXRpbWU"} {
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%+v: %v", f, err)
			}
		}
	}
}

// What is not EC2's answer is not an answer, however it looks.
func TestOnlyEC2Answers(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 1)
	if _, err := d.Launch(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for _, text := range append(nonsense, "<RunInstancesResponse></RunInstancesResponse>", strings.Repeat(" ", 5000)) {
		l.Fail(func(c ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Say: &text} })
		if vms, err := d.List(context.Background()); err == nil || nodes.ClassOf(err) != nodes.Unsure {
			t.Errorf("List takes %q for %d machines, %v", text, len(vms), err)
		}
		o.ID += "x"
		if vms, err := d.Launch(context.Background(), o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
			t.Errorf("Launch takes %q for %d machines, %v", text, len(vms), err)
		}
	}
	l.Fail(func(ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Half: true} })
	if vms, err := d.List(context.Background()); err == nil {
		t.Errorf("List takes half an answer for %d machines", len(vms))
	}
}

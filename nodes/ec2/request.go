package ec2

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
)

// request writes the call for an order. What it says depends on the order
// alone, and nothing in it on chance or on the time: EC2 refuses a repetition
// that differs.
func (d *Driver) request(o *nodes.Order, s *spec) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ClientToken:  &o.ID,
		MinCount:     aws.Int32(1),
		MaxCount:     aws.Int32(int32(min(o.Count, maxCount))),
		ImageId:      &s.Image,
		InstanceType: types.InstanceType(s.Type),
		UserData:     aws.String(base64.StdEncoding.EncodeToString([]byte(o.UserData))),

		// A machine powers itself off at its deadline, and is gone then.
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,

		// The user data has a one-time token. With one hop no container's
		// network on the machine comes to it, and no proxy that can be talked
		// into a plain GET.
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpEndpoint:            types.InstanceMetadataEndpointStateEnabled,
			HttpTokens:              types.HttpTokensStateRequired,
			HttpPutResponseHopLimit: aws.Int32(1),
			InstanceMetadataTags:    types.InstanceMetadataTagsStateDisabled,
		},
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: &s.RootDevice, Ebs: &types.EbsBlockDevice{
			VolumeSize: &s.RootGiB, VolumeType: types.VolumeTypeGp3, Encrypted: aws.Bool(true), DeleteOnTermination: aws.Bool(true),
		}}},
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: aws.Int32(0), SubnetId: &s.Subnet, Groups: s.Groups,
			AssociatePublicIpAddress: aws.Bool(s.Public), DeleteOnTermination: aws.Bool(true),
		}},
	}
	for _, kind := range []types.ResourceType{types.ResourceTypeInstance, types.ResourceTypeVolume, types.ResourceTypeNetworkInterface} {
		in.TagSpecifications = append(in.TagSpecifications, types.TagSpecification{ResourceType: kind, Tags: d.tags(o, s)})
	}
	s.options(in)
	return in
}

// options writes what a place may leave out.
func (s *spec) options(in *ec2.RunInstancesInput) {
	if s.Profile != "" {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &s.Profile}
		if strings.HasPrefix(s.Profile, "arn:") {
			in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Arn: &s.Profile}
		}
	}
	if s.Key != "" {
		in.KeyName = &s.Key
	}
	if s.Template != "" {
		in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: &s.Template, Version: &s.TemplateVersion}
	}
	if s.Market == Spot {
		in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot, SpotOptions: &types.SpotMarketOptions{
			SpotInstanceType: types.SpotInstanceTypeOneTime, InstanceInterruptionBehavior: types.InstanceInterruptionBehaviorTerminate,
		}}
	}
	switch {
	case s.Market == Spot: // reservations are for on-demand machines
	case reserveName.MatchString(s.Reservation):
		in.CapacityReservationSpecification = &types.CapacityReservationSpecification{
			CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationId: &s.Reservation}}
	case s.Reservation != "":
		in.CapacityReservationSpecification = &types.CapacityReservationSpecification{
			CapacityReservationPreference: types.CapacityReservationPreference(s.Reservation)}
	}
}

// tags returns the tags of all that an order makes, in a fixed order.
func (d *Driver) tags(o *nodes.Order, s *spec) []types.Tag {
	all := maps.Clone(s.Tags)
	if all == nil {
		all = map[string]string{}
	}
	all["Name"] = o.ID
	all[ownerTag], all[orderTag], all[placeTag] = d.cfg.Owner, o.ID, o.Place
	var tags []types.Tag
	for _, k := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(all[k])})
	}
	return tags
}

// sortInstances sorts as EC2 numbers the machines of a call.
func sortInstances(all []types.Instance) {
	slices.SortFunc(all, func(a, b types.Instance) int {
		return cmp.Or(cmp.Compare(deref(a.AmiLaunchIndex), deref(b.AmiLaunchIndex)), strings.Compare(deref(a.InstanceId), deref(b.InstanceId)))
	})
}

// tag returns the value of a tag, "" where it is not there.
func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if deref(t.Key) == key {
			return deref(t.Value)
		}
	}
	return ""
}

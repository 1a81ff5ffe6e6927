package ec2

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// image is what has to be known of a machine image.
type image struct {
	ID, RootDevice, Arch string
	RootGiB              int32 // of the image's snapshot: a root volume cannot be smaller
}

// image finds the image that is meant now, and refuses one for another
// processor.
func (d *Driver) image(ctx context.Context, from Image, arch string) (image, error) {
	key := strings.Join(append([]string{arch, from.ID, from.Parameter, from.Name}, from.Owners...), "\n")
	return d.images.get(ctx, key, d.now(), imageAge, func(ctx context.Context) (image, error) {
		in := &ec2.DescribeImagesInput{ImageIds: []string{from.ID}}
		switch {
		case from.Parameter != "":
			out, err := d.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: &from.Parameter})
			if err != nil {
				return image{}, explain("GetParameter "+from.Parameter, err, nil)
			}
			id := strings.TrimSpace(deref(out.Parameter.Value))
			if !imageName.MatchString(id) {
				return image{}, configuration("the SSM parameter %s is no image ID: %q", from.Parameter, shorten(id))
			}
			in.ImageIds = []string{id}
		case from.Name != "":
			in = &ec2.DescribeImagesInput{Owners: from.Owners, Filters: []types.Filter{
				where("name", from.Name), where("state", "available"), where("architecture", archNames[arch])}}
		}
		out, err := d.api.DescribeImages(ctx, in)
		if err != nil {
			return image{}, explain("DescribeImages", err, nil)
		}
		return newest(out.Images, from, arch)
	})
}

var archNames = map[string]string{"amd64": "x86_64", "arm64": "arm64"}

// newest returns the youngest image, and of those that are of one time the
// one with the greatest ID.
func newest(all []types.Image, from Image, arch string) (image, error) {
	if len(all) == 0 {
		return image{}, configuration("there is no image %s for %s that this account may use", cmp.Or(from.ID, from.Parameter, from.Name), arch)
	}
	i := slices.MaxFunc(all, func(a, b types.Image) int {
		return cmp.Or(strings.Compare(deref(a.CreationDate), deref(b.CreationDate)), strings.Compare(deref(a.ImageId), deref(b.ImageId)))
	})
	img := image{ID: deref(i.ImageId), RootDevice: deref(i.RootDeviceName), Arch: string(i.Architecture)}
	if img.Arch != archNames[arch] {
		return image{}, configuration("the image %s is for %s, and is configured for %s", img.ID, img.Arch, arch)
	}
	if img.RootDevice == "" {
		return image{}, configuration("the image %s has no root device: it must be one with an EBS root volume", img.ID)
	}
	for _, b := range i.BlockDeviceMappings {
		if deref(b.DeviceName) == img.RootDevice && b.Ebs != nil {
			img.RootGiB = deref(b.Ebs.VolumeSize)
		}
	}
	return img, nil
}

// subnet is a subnet of a place.
type subnet struct {
	ID, Zone string
	Free     int32 // addresses
}

// subnetsOf returns the place's subnets that are there, in its order.
func (d *Driver) subnetsOf(ctx context.Context, p Place) ([]subnet, error) {
	return d.subnets.get(ctx, strings.Join(p.Subnets, " "), d.now(), subnetAge, func(ctx context.Context) ([]subnet, error) {
		return d.findSubnets(ctx, p.Subnets)
	})
}

// findSubnets asks with a filter: of subnets asked for by ID, one that is not
// there would hide all others.
func (d *Driver) findSubnets(ctx context.Context, ids []string) ([]subnet, error) {
	out, err := d.api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []types.Filter{where("subnet-id", ids...)}})
	if err != nil {
		return nil, explain("DescribeSubnets", err, nil)
	}
	var found []subnet
	for _, id := range ids {
		for _, s := range out.Subnets {
			if deref(s.SubnetId) == id {
				found = append(found, subnet{id, deref(s.AvailabilityZone), deref(s.AvailableIpAddressCount)})
			}
		}
	}
	if len(found) == 0 {
		return nil, configuration("none of the subnets %s is there", strings.Join(ids, ", "))
	}
	return found, nil
}

// template returns the ID of a launch template and the number that its
// version stands for now.
func (d *Driver) template(ctx context.Context, t LaunchTemplate) (id, number string, err error) {
	if t.ID == "" && t.Name == "" {
		return "", "", nil
	}
	both, err := d.templates.get(ctx, t.ID+" "+t.Name+" "+t.Version, d.now(), imageAge, func(ctx context.Context) (string, error) {
		in := &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{t.ID}}
		if t.Name != "" {
			in = &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{t.Name}}
		}
		out, err := d.api.DescribeLaunchTemplates(ctx, in)
		if err != nil {
			return "", explain("DescribeLaunchTemplates", err, nil)
		}
		if len(out.LaunchTemplates) != 1 {
			return "", configuration("there is no launch template %s%s", t.ID, t.Name)
		}
		found := out.LaunchTemplates[0]
		version := t.Version
		switch version {
		case "", "$Default":
			version = strconv.FormatInt(deref(found.DefaultVersionNumber), 10)
		case "$Latest":
			version = strconv.FormatInt(deref(found.LatestVersionNumber), 10)
		}
		return deref(found.LaunchTemplateId) + " " + version, nil
	})
	id, number, _ = strings.Cut(both, " ")
	return id, number, err
}

// reservation is a capacity reservation.
type reservation struct {
	ID, Type, Zone string
	Free           int32
}

// reservationsOf returns the reservations that the place names and that are
// active, in its order.
func (d *Driver) reservationsOf(ctx context.Context, p Place) ([]reservation, error) {
	if len(p.Reservations) == 0 || p.reservationWord() != "" {
		return nil, nil
	}
	return d.reserved.get(ctx, strings.Join(p.Reservations, " "), d.now(), imageAge, func(ctx context.Context) ([]reservation, error) {
		out, err := d.api.DescribeCapacityReservations(ctx, &ec2.DescribeCapacityReservationsInput{CapacityReservationIds: p.Reservations})
		if err != nil {
			return nil, explain("DescribeCapacityReservations", err, nil)
		}
		var found []reservation
		for _, id := range p.Reservations {
			for _, r := range out.CapacityReservations {
				if deref(r.CapacityReservationId) == id && r.State == types.CapacityReservationStateActive {
					found = append(found, reservation{id, deref(r.InstanceType), deref(r.AvailabilityZone), deref(r.AvailableInstanceCount)})
				}
			}
		}
		return found, nil
	})
}

// where makes a filter of EC2. Its values are patterns: * and ? stand for any
// text, so only names that have none are looked for.
func where(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

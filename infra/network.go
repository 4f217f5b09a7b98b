package main

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// network is what the workers are in, where customers want to know which addresses call their directories.
type network struct {
	service *service
	vpc     awsec2.Vpc
	workers awsec2.SecurityGroup
}

// addEgressAddresses makes the addresses that customers open their firewalls for, one a zone. They are with the data:
// nothing that happens to the network may lose them.
func (d *data) addEgressAddresses() {
	for zone := range d.settings.VPCZones {
		name := "egress-" + strconv.Itoa(zone+1)
		address := awsec2.NewCfnEIP(d.stack, jsii.String(name), &awsec2.CfnEIPProps{
			Domain: jsii.String("vpc"),
			Tags:   &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(d.settings.Name + "-" + name)}},
		})
		address.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
		d.egress = append(d.egress, address)
		output(d.stack, "Egress"+strconv.Itoa(zone+1), "Directories are read from this address", address.AttrPublicIp())
	}
}

// addNetwork makes a VPC with a NAT gateway in each zone: one for all would lose every worker with its zone.
func (s *service) addNetwork() {
	var zones, addresses []*string
	for zone, address := range s.data.egress {
		zones = append(zones, awscdk.Fn_Select(jsii.Number(zone), awscdk.Fn_GetAzs(nil)))
		addresses = append(addresses, address)
	}
	n := &network{service: s}
	n.vpc = awsec2.NewVpc(s.stack, jsii.String("network"), &awsec2.VpcProps{
		AvailabilityZones:  &zones,
		IpAddresses:        awsec2.IpAddresses_Cidr(jsii.String(s.settings.VPCCIDR.String())),
		NatGatewayProvider: awsec2.NatProvider_Gateway(&awsec2.NatGatewayProps{EipAllocationIds: &addresses}),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("nat"), SubnetType: awsec2.SubnetType_PUBLIC, CidrMask: jsii.Number(28),
				MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String("workers"), SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS},
		},
		// Tables and files are most of the traffic, and this way it costs nothing. SQS, KMS, EventBridge and logs go
		// through the NAT: an interface endpoint for each, in each zone, would cost more than their few requests.
		GatewayEndpoints: &map[string]*awsec2.GatewayVpcEndpointOptions{
			"s3":       {Service: awsec2.GatewayVpcEndpointAwsService_S3()},
			"dynamodb": {Service: awsec2.GatewayVpcEndpointAwsService_DYNAMODB()},
		},
		RestrictDefaultSecurityGroup: jsii.Bool(false),
	})
	justify(n.vpc, "AwsSolutions-VPC7",
		"Only workers are in it, and they log every connection they make with its account, host and address.")
	n.workers = awsec2.NewSecurityGroup(s.stack, jsii.String("workers"), &awsec2.SecurityGroupProps{
		Vpc: n.vpc, Description: jsii.String("Rollcall: workers reach directories and AWS, and nothing reaches them"),
		AllowAllOutbound: jsii.Bool(false),
	})
	for _, port := range append([]string{"443"}, s.settings.Ports...) {
		number, _ := strconv.ParseFloat(port, 64) // ReadSettings has checked them.
		n.workers.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_Tcp(&number), jsii.String("TCP "+port), nil)
	}
	s.network = n
}

// join puts a worker into the network. Lambda needs these rights of its role to attach it, and says in its guide that
// two of them work on all resources only. The function's own code is refused them.
func (n *network) join(f *function, props *awslambda.FunctionProps) {
	stack := n.service.stack
	props.Vpc = n.vpc
	props.VpcSubnets = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	props.SecurityGroups = &[]awsec2.ISecurityGroup{n.workers}
	see := []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
	attach := []string{"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses",
		"ec2:UnassignPrivateIpAddresses"}
	anything := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("ec2"), Resource: jsii.String("*"),
		ResourceName: jsii.String("*")})
	grant(f.role, see, nil, jsii.String("*"))
	grant(f.role, attach, nil, anything)
	own := stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("lambda"), Resource: jsii.String("function"),
		ResourceName: jsii.String(n.service.functionName(f.Name)),
		ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	f.role.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect: awsiam.Effect_DENY, Actions: jsii.Strings(append(see, attach...)...), Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnEquals": map[string]any{"lambda:SourceFunctionArn": own}},
	}))
	justify(f.role, "AwsSolutions-IAM5", "Lambda attaches the function with these rights, whose resources do not "+
		"exist yet; the function's code is refused them.",
		"Resource::*", "Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:*/*")
}

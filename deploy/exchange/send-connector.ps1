<#
.SYNOPSIS
  Sends everything that leaves this Exchange organisation through the gateway, over TLS, and never otherwise.
.DESCRIPTION
  Run in the Exchange Management Shell, Exchange Server 2016, 2019 or SE. Other send connectors for "*" must be disabled,
  or Exchange shares the mail among them: the script names them and changes none.
.EXAMPLE
  .\send-connector.ps1 -Gateway gw1.trust.example.nhs.uk -SourceServers EXCH01,EXCH02
.EXAMPLE
  .\send-connector.ps1 -Gateway gw1.trust.example.nhs.uk -SourceServers EXCH01 -SelfSigned
  # first tests, with the gateway's self-signed certificate: encrypted, the gateway not proved
#>
param(
    # Host names, not addresses: the name is compared with the certificate.
    [Parameter(Mandatory)] [string[]] $Gateway,
    [Parameter(Mandatory)] [string[]] $SourceServers,
    [string] $Name = "Mailward",
    [int] $Port = 25,
    [switch] $SelfSigned
)
$ErrorActionPreference = "Stop"

$connector = @{
    Name                   = $Name
    Usage                  = "Custom"
    AddressSpaces          = "SMTP:*;1"
    SourceTransportServers = $SourceServers
    # A smart host. DomainSecureEnabled (mutual TLS) cannot be combined with one.
    DNSRoutingEnabled      = $false
    SmartHosts             = $Gateway
    SmartHostAuthMechanism = "None"
    Port                   = $Port
    # Without TLS nothing is sent: Exchange keeps it and tries again.
    RequireTLS             = $true
    IgnoreSTARTTLS         = $false
    # Would hand X-MS-Exchange-CrossPremises-* to the gateway.
    CloudServicesMailEnabled = $false
    # Another policy turns the gateway's 5xx into endless retries: the sender would not be told.
    ErrorPolicies          = "Default"
    # The gateway takes 50 MB on the wire (max-message), which is about 36 MB of files.
    MaxMessageSize         = 36MB
    ProtocolLoggingLevel   = "Verbose"
}
if ($SelfSigned) {
    $connector.TlsAuthLevel = "EncryptionOnly"
} else {
    # The chain and its revocation list are checked, and the name must be the gateway's.
    $connector.TlsAuthLevel = "DomainValidation"
    $connector.TlsDomain    = $Gateway[0]
}
New-SendConnector @connector

$others = Get-SendConnector | Where-Object { $_.Enabled -and $_.Name -ne $Name -and ($_.AddressSpaces -match '\*') }
foreach ($other in $others) {
    Write-Warning "'$($other.Name)' also takes mail for $($other.AddressSpaces): Set-SendConnector '$($other.Name)' -Enabled `$false"
}

<#
.SYNOPSIS
  Lets the gateway, and nobody else, hand in mail from outside over TLS.
.DESCRIPTION
  Run in the Exchange Management Shell on each Exchange server that gateway.toml lists under `exchange`. The connector
  listens beside the default one on port 25; Exchange chooses the one whose RemoteIPRanges are the narrowest.
.EXAMPLE
  .\receive-connector.ps1 -Server EXCH01 -GatewayAddress 10.20.0.2
#>
param(
    [Parameter(Mandatory)] [string]   $Server,
    [Parameter(Mandatory)] [string[]] $GatewayAddress,
    [string] $Name = "From Mailward"
)
$ErrorActionPreference = "Stop"

$connector = @{
    Name             = $Name
    Server           = $Server
    TransportRole    = "FrontendTransport"
    Usage            = "Custom"
    Bindings         = "0.0.0.0:25"
    RemoteIPRanges   = $GatewayAddress
    # Anonymous: what comes from the internet stays from the internet. Never ExternalAuthoritative, which would believe
    # the headers of strangers.
    PermissionGroups = "AnonymousUsers"
    AuthMechanism    = "Tls"
    RequireTLS       = $true
    # The gateway is no guesser of addresses: a refusal need not be slowed down.
    TarpitInterval   = "00:00:00"
    MaxMessageSize   = 50MB
    ProtocolLoggingLevel = "Verbose"
}
New-ReceiveConnector @connector

# Exchange shows the certificate that is enabled for SMTP. For `names` in gateway.toml it must carry that name and come
# from an authority that the gateway knows; for `pins`, note its key as README.md says, again after each renewal.
Get-ExchangeCertificate -Server $Server | Where-Object { $_.Services -match "SMTP" } |
    Format-List Thumbprint, Subject, CertificateDomains, NotAfter, IsSelfSigned

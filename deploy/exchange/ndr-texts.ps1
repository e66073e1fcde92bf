<#
.SYNOPSIS
  Puts plain sentences into the non-delivery reports that Exchange makes of the gateway's refusals.
.DESCRIPTION
  Exchange chooses the text that a sender sees by the enhanced status code, and shows the gateway's own sentence (with the
  rule and the reference) only under "diagnostic information". Run once per organisation in the Exchange Management Shell.
  Running it again replaces the texts.
.EXAMPLE
  .\ndr-texts.ps1 -Help "the service desk on 020 7946 0000"
#>
param(
    [Parameter(Mandatory)] [string] $Help,
    [string] $Language = "en"
)
$ErrorActionPreference = "Stop"

$texts = [ordered] @{
    "5.7.10" = "Your message was not sent, because it seems to contain patient information and the recipient's mail system cannot protect it well enough. Nothing has left the organisation. Send it to a secure address (such as nhs.net), or leave out what identifies the patient. For help, ask $Help and give the reference at the end of this report."
    "5.7.1"  = "Your message was not sent, because a rule of the organisation does not allow it. The reason is given at the end of this report. For help, ask $Help."
    "5.3.4"  = "Your message is too large to be sent by e-mail. Send smaller files, or share them in another approved way. For help, ask $Help."
    "5.6.11" = "Your message was not sent, because the programme that wrote it made lines that e-mail does not allow. Send it from Outlook. For help, ask $Help."
    "5.4.6"  = "Your message was not sent, because it went round in a circle between mail servers. Ask ${Help}: a forwarding rule is probably wrong."
}
foreach ($code in $texts.Keys) {
    $identity = "$Language\Internal\$code"
    if (Get-SystemMessage -Identity $identity -ErrorAction SilentlyContinue) {
        Set-SystemMessage -Identity $identity -Text $texts[$code]
    } else {
        New-SystemMessage -DsnCode $code -Internal $true -Language $Language -Text $texts[$code]
    }
}
Get-SystemMessage

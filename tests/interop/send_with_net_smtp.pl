# Hands one message to a server with Perl's Net::SMTP. Exit 0: taken for somebody; 1: refused for all; 2: not reached.
#
# Usage: send_with_net_smtp.pl HOST:PORT clear|starttls|implicit ROOTS FROM TO[,TO...] FILE [USER:PASSWORD]
use strict;
use warnings;
use Net::SMTP;

my ( $server, $tls, $roots, $from, $to, $path, $login ) = @ARGV;
my ( $host, $port ) = split /:/, $server;
my %proof = ( SSL_ca_file => $roots, SSL_verifycn_name => 'gw.trust.example' );
my $smtp  = Net::SMTP->new( $host, Port => $port, Hello => 'client.lab.example', Timeout => 30,
    SSL => ( $tls eq 'implicit' ) + 0, %proof );
unless ($smtp) { print "not reached: $@\n"; exit 2 }
if ( $tls eq 'starttls' && !$smtp->starttls(%proof) ) { print 'no TLS: ', $smtp->message; exit 2 }
if ($login) { $smtp->auth( split /:/, $login, 2 ) or refused() }
open my $file, '<:raw', $path or die "$path: $!";
my $message = do { local $/; <$file> };
$smtp->mail( $from, Bits => 8 ) or refused();
my @taken = $smtp->to( split( /,/, $to ), { SkipBad => 1 } );
print 'taken: ', scalar @taken, ' of ', scalar( split /,/, $to ), "\n";
refused() unless @taken;
$smtp->data($message) or refused();
$smtp->quit;

sub refused { print $smtp->code, ' ', $smtp->message; $smtp->quit; exit 1 }

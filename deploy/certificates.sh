#!/bin/sh
# Makes a private authority for the services' own connections, and a certificate for each service that it answers and calls
# with. Run it again to renew the certificates: the services read them again without a restart.
#
#   deploy/certificates.sh [FOLDER [DAYS]]
set -eu
umask 077
out=${1:-$(dirname "$0")/tls}
days=${2:-90}
mkdir -p "$out/authority"

if [ ! -f "$out/authority-key.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Doorstroom services" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$out/authority-key.pem" -out "$out/authority/authorities.pem" 2>/dev/null
    # Whose certificates the services take from callers: their own. Add the authorities of partners here.
    cp "$out/authority/authorities.pem" "$out/authority/clients.pem"
fi

for service in access housing income aftercare regie monitor; do
    mkdir -p "$out/$service"
    new=$(mktemp -d "$out/$service/new.XXXXXX")
    printf '%s\n' "subjectAltName=DNS:$service,DNS:localhost" "keyUsage=critical,digitalSignature" \
        "extendedKeyUsage=serverAuth,clientAuth" "basicConstraints=critical,CA:FALSE" > "$new/extensions"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$service" \
        -keyout "$new/key.pem" -out "$new/request.pem" 2>/dev/null
    openssl x509 -req -in "$new/request.pem" -days "$days" -extfile "$new/extensions" \
        -CA "$out/authority/authorities.pem" -CAkey "$out/authority-key.pem" -set_serial "0x$(openssl rand -hex 16)" \
        -out "$new/certificate.pem" 2>/dev/null
    mv "$new/key.pem" "$out/$service/key.pem"
    mv "$new/certificate.pem" "$out/$service/certificate.pem"
    rm -r "$new"
done
echo "$out: certificates of six services, valid for $days days"

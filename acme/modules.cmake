# crypto -> vault, protocol -> acme; edge stands alone: it runs on other machines.
module(acme/edge SOURCES errc.cpp bundle.cpp verify.cpp install.cpp nginx.cpp handshake.cpp agent.cpp
  DEPENDS base/result base/net base/process
    base/http_client LIBRARIES Boost::json OpenSSL::Crypto OpenSSL::SSL)
module(acme/crypto SOURCES errc.cpp encoding.cpp time.cpp key.cpp jws.cpp csr.cpp certificate.cpp
  DEPENDS base/result LIBRARIES Boost::json OpenSSL::Crypto)
module(acme/protocol SOURCES errc.cpp messages.cpp order_machine.cpp client.cpp
  DEPENDS base/result base/net acme/crypto
    base/http_client LIBRARIES Boost::json)
module(acme/vault SOURCES errc.cpp seal.cpp schema.cpp vault.cpp
  DEPENDS base/result base/net base/process base/database acme/crypto
    base/store_thread LIBRARIES OpenSSL::Crypto)
module(acme SOURCES errc.cpp renewal.cpp dns01.cpp issuer.cpp issuer_order.cpp distribution.cpp
  DEPENDS base/result base/net base/process base/probe base/database dns-backend/dns dns-backend/snapshot dns-backend/store acme/crypto
    acme/protocol acme/vault
    base/http
  LIBRARIES Boost::json)

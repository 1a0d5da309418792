// A connection of bytes with or without TLS, so that the HTTP code is compiled once for tcp, unix and TLS. Private to
// base/net.
//
// Threads: a Stream belongs to one loop. One read and one write may be under way at a time.
#pragma once

#include "base/net/task.hpp"
#include "base/net/tls.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct asn1_string_st;  // OpenSSL's ASN1_INTEGER

namespace net::detail {

// A certificate's serial number, lower-case hex without leading zeros.
std::string serial_text(asn1_string_st const* serial);

using Socket = asio::generic::stream_protocol::socket;

class Stream {
 public:
  Stream() = default;
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;
  virtual ~Stream() = default;

  // 0 at the peer's orderly end. Failures: closed, certificate (an alert of the peer about ours), cancelled,
  // bad_message. `data` must stay until the task ended.
  virtual Task<base::Result<std::size_t>> read_some(char* data, std::size_t size) = 0;
  virtual Task<base::Result<void>> write_all(std::string_view bytes) = 0;
  // True while the connection is open and the peer has sent nothing unasked: an idle connection that may be used again.
  virtual bool quiet() = 0;
  // Sends the end of our side without waiting.
  virtual void end_writing() = 0;
  // The first DNS name of the peer's verified certificate; empty without one.
  [[nodiscard]] virtual std::string peer_certificate_name() const = 0;
  // SHA-256 of that certificate's SubjectPublicKeyInfo (DER), lower-case hex; empty without one.
  [[nodiscard]] virtual std::string peer_certificate_key() const = 0;
  // Its serial number, lower-case hex without leading zeros, empty without one; and its end (seconds since the epoch).
  [[nodiscard]] virtual std::string peer_certificate_serial() const = 0;
  [[nodiscard]] virtual std::int64_t peer_certificate_until_s() const = 0;
};

std::unique_ptr<Stream> plain_stream(Socket socket);

// `host` is the SNI; when `check_host` it must also be in the certificate. Failures: certificate, closed, bad_message.
Task<base::Result<std::unique_ptr<Stream>>> tls_connect(Socket socket, TlsContext context, std::string host,
                                                        bool check_host);
Task<base::Result<std::unique_ptr<Stream>>> tls_accept(Socket socket, TlsContext context);

// The net::errc for an error of a socket or TLS operation, with `doing` in the detail.
base::Failure failure_of(boost::system::error_code error, std::string const& doing);

}  // namespace net::detail

// One connection of PowerDNS: a request in, a reply out, strictly in turn; lines or HTTP.
//
// A session may be idle for ever (PowerDNS keeps its connections), but a request once begun must end within 10 s and a
// reply must be taken within 10 s. Any failure closes the connection without an answer: PowerDNS then fails one query,
// connects anew and keeps what it has cached, whereas a made-up answer would be believed.
//
// A session that is told to leave ends between two requests with its socket open, so that another process can go on
// with it: nothing PowerDNS said is lost, because nothing was read that was not answered. Inside a transaction it stays
// until the end of it.
//
// Threads: a Session belongs to its lookup loop.
#pragma once

#include "base/net/task.hpp"
#include "base/process/descriptors.hpp"
#include "dns-backend/conversation/conversation.hpp"
#include "dns-backend/conversation/framing.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

#include <memory>
#include <string>

namespace connector {

class Session {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  // `serving` must outlive the session.
  Session(Socket socket, Framing framing, Serving& serving)
      : socket_(std::move(socket)), framing_(framing), serving_(serving), conversation_(serving) {}

  // Ends when the peer closed, something failed, close() was called, or after leave(). Then its socket if it left,
  // otherwise none.
  static net::Task<process::Descriptor> run(std::shared_ptr<Session> self);
  void leave();
  void close();

 private:
  net::Task<base::Result<void>> serve();
  net::Task<base::Result<void>> read_request();
  net::Task<base::Result<std::size_t>> read_some();
  net::Task<base::Result<void>> write_reply();
  net::Task<base::Result<std::size_t>> write_rest(std::size_t done);

  Socket socket_;
  Framing framing_;
  Serving& serving_;
  Conversation conversation_;
  std::string in_;
  std::string body_;  // of the request in hand, where it does not lie in in_
  Cut cut_;           // the request in hand
  std::string out_;
  bool idle_ = false;  // waits for the first octet of a request
  bool leaving_ = false;
  bool closed_ = false;
};

}  // namespace connector

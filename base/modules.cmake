# The foundation: no domain words here. Downward only.
# base/asio holds the compiled half of Asio and no header. It hangs below base/result, because even value types use
# Asio's addresses and every module links base/result.
module(base/asio SOURCES separate.cpp LIBRARIES Boost::headers Threads::Threads)
module(base/result SOURCES result.cpp problem.cpp DEPENDS base/asio LIBRARIES Boost::headers)
module(base/process SOURCES log.cpp metrics.cpp service.cpp child.cpp detached.cpp files.cpp descriptors.cpp
  DEPENDS base/result
  LIBRARIES spdlog::spdlog fmt::fmt prometheus-cpp::core PkgConfig::systemd Threads::Threads)
module(base/config SOURCES document.cpp nearest.cpp reader.cpp DEPENDS base/result LIBRARIES yaml-cpp)
module(base/net
  SOURCES separate.cpp task.cpp backoff.cpp http.cpp http_parse.cpp router.cpp tls.cpp url.cpp stream.cpp message.cpp
    http_client.cpp http_server.cpp
  DEPENDS base/result base/process
  LIBRARIES Boost::headers Boost::json Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
module(base/database SOURCES database.cpp connection.cpp schema.cpp change_log.cpp store_thread.cpp
  DEPENDS base/result base/process
  LIBRARIES SQLiteCpp PkgConfig::sqlite3)
module(base/probe SOURCES health_state.cpp probe.cpp http_probe.cpp dns_probe.cpp dns_message.cpp
  DEPENDS base/result base/net LIBRARIES PkgConfig::ldns)

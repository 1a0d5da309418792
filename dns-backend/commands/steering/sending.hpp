// A file on its way to the API, and what the API says against it back at its place in the file. Private to this module.
//
// Threads: blocking; the command line only.
#pragma once

#include "base/config/document.hpp"
#include "base/http/http.hpp"
#include "dns-backend/commands/place.hpp"

#include <string>

namespace commands {

// Prints problems; 2.
int say_problems(base::Problems const& problems);

// PUTs the body that was made of `document`. 0 with the answer in `answer`, else the exit code after saying why: each
// problem where its field stands in the document.
int send_file(Place const& place, std::string const& target, std::string const& body, config::Document const& document,
              net::HttpResponse& answer);

}  // namespace commands

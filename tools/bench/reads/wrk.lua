-- Sends the requests of a file, one per line with its line ends escaped, in turn; prints one line of JSON at the end.
local requests = {}
local next = 0

function init(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = line:gsub("\\r\\n", "\r\n")
  end
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end

-- The code flow of a browser that is signed in and a client that has consent: authorize, then token.
-- Data of a thread is {authorize_path, authorize_headers, token_path, token_headers, token_body}.

local data, code, started

function init(args)
   data = own_data(args)
end

function request()
   if code then
      return wrk.format("POST", data.token_path, data.token_headers, data.token_body .. code)
   end
   started = now_ms()
   return wrk.format("GET", data.authorize_path, data.authorize_headers)
end

local function authorized(status, headers, body)
   local location = headers["location"] or headers["Location"] or ""
   code = location:match("[?&]code=([^&]+)")
   if not code then failed("authorize", status, location .. " " .. body) end
end

local function redeemed(status, body)
   code = nil
   if status == 200 and body:find('"id_token":', 1, true) then
      completed(started)
   else
      failed("token", status, body)
   end
end

function response(status, headers, body)
   if code then redeemed(status, body) else authorized(status, headers, body) end
end

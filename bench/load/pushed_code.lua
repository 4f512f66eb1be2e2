-- The code flow under the FAPI 2.0 profile: push the request, authorize, redeem. Data of a thread is
-- {push_path, push_body, authorize_path, authorize_headers, token_path, token_body, supply}: each line of the
-- supply has what one unit shows once, assertion and proof for the push, assertion and proof for the token.

local data, supply, shown, request_uri, code, started

function init(args)
   data = own_data(args)
   supply = io.lines(data.supply)
end

local function post(path, body, assertion, proof)
   local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["DPoP"] = proof }
   return wrk.format("POST", path, headers, body .. "&client_assertion=" .. assertion)
end

local function push()
   local first, second, third, fourth = following(supply):match("^(%S+) (%S+) (%S+) (%S+)$")
   shown = { push_assertion = first, push_proof = second, token_assertion = third, token_proof = fourth }
   started = now_ms()
   return post(data.push_path, data.push_body, shown.push_assertion, shown.push_proof)
end

function request()
   if code then
      return post(data.token_path, data.token_body .. "&code=" .. code, shown.token_assertion, shown.token_proof)
   elseif request_uri then
      return wrk.format("GET", data.authorize_path .. request_uri, data.authorize_headers)
   end
   return push()
end

local function pushed(status, body)
   request_uri = status == 201 and body:match('"request_uri":"([^"]+)"')
   if not request_uri then failed("push", status, body) end
end

local function authorized(status, headers, body)
   local location = headers["location"] or headers["Location"] or ""
   code, request_uri = location:match("[?&]code=([^&]+)"), nil
   if not code then failed("authorize", status, location .. " " .. body) end
end

local function redeemed(status, body)
   code = nil
   if status == 200 and body:find('"id_token":', 1, true) and body:find('"token_type":"DPoP"', 1, true) then
      completed(started)
   else
      failed("token", status, body)
   end
end

function response(status, headers, body)
   if code then
      redeemed(status, body)
   elseif request_uri then
      authorized(status, headers, body)
   else
      pushed(status, body)
   end
end

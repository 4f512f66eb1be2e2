-- A back end hands on one access token after the other: data of a thread is {path, headers, body, supply},
-- each line of the supply an access token.

local data, supply, started

function init(args)
   data = own_data(args)
   supply = io.lines(data.supply)
end

function request()
   local token = following(supply)
   started = now_ms()
   return wrk.format("POST", data.path, data.headers, data.body .. token)
end

function response(status, headers, body)
   if status == 200 and body:find('"issued_token_type":', 1, true) then
      completed(started)
   else
      failed("exchange", status, body)
   end
end

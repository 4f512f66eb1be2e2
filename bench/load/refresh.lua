-- Each connection steps from refresh token to refresh token: data of a thread is {path, headers, refresh_token}.

local data, token, started

function init(args)
   data = own_data(args)
   token = data.refresh_token
end

function request()
   started = now_ms()
   return wrk.format("POST", data.path, data.headers, "grant_type=refresh_token&refresh_token=" .. token)
end

function response(status, headers, body)
   local successor = body:match('"refresh_token":"([^"]+)"')
   if status ~= 200 or not successor or successor == token or not body:find('"id_token":', 1, true) then
      return failed("refresh", status, body)
   end
   token = successor
   completed(started)
end

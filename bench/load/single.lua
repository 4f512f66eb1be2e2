-- One request again and again: data of a thread is {method, path, headers, body}.

function init(args)
   local data = own_data(args)
   wrk.method, wrk.path, wrk.body = data.method, data.path, data.body
   for name, value in pairs(data.headers) do wrk.headers[name] = value end
end
